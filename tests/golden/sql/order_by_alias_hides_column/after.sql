SELECT id AS order_id, -amount AS amount
FROM orders_v2
ORDER BY amount, order_id
