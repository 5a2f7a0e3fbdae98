SELECT w.order_id, w.amount, a.amount AS other
FROM orders_v1 w
JOIN orders_v1 a ON a.order_id = w.order_id
WHERE w.channel = 'web' AND a.channel = 'app'
