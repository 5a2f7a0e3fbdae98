SELECT label, SUM(total) AS amount
FROM orders_v1
GROUP BY label
HAVING COUNT(total) > 1
