SELECT name AS label, SUM(amount) AS amount
FROM orders_v2
GROUP BY name
HAVING COUNT(orders_v2.amount) > 1
