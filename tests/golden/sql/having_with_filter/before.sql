SELECT customer
FROM shop.orders_v1
GROUP BY 1
HAVING SUM(amount) > 5 OR MIN(status) = 'paid'
