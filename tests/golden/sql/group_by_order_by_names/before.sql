SELECT status, SUM(amount) AS total
FROM shop.orders_v1
GROUP BY status
HAVING COUNT(order_id) > 1
ORDER BY status
