SELECT orders_v2.id AS order_id, app_v1.amount AS other
FROM orders_v2
JOIN orders_v2 AS app_v1 ON app_v1.id = orders_v2.id
WHERE orders_v2.kind = 'web' AND app_v1.kind = 'app'
