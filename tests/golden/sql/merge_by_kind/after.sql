SELECT w.id AS order_id, w.amount, orders_v2.amount AS other
FROM orders_v2 w
LEFT JOIN orders_v2 ON orders_v2.id = w.id AND orders_v2.kind = 'app'
WHERE w.kind = 'web'
