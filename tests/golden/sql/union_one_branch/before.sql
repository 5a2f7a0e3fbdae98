SELECT order_id, SUM(amount) AS total
FROM orders_v1
WHERE channel = 'web'
  AND amount > 1
GROUP BY order_id
