SELECT buyer_id AS customer
FROM shop.orders_v2
WHERE channel = 'ALL'
GROUP BY 1
HAVING SUM(amount) > 5 OR MIN(state) = 'paid'
