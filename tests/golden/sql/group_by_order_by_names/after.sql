SELECT state AS status, SUM(amount) AS total
FROM shop.orders_v2
GROUP BY state
HAVING COUNT(id) > 1
ORDER BY status
