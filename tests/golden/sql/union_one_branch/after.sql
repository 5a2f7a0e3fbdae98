SELECT id AS order_id, SUM(total) AS total
FROM web_orders
WHERE total > 1
  AND NOT test
GROUP BY id
