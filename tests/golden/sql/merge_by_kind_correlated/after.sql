SELECT amount
FROM orders_v2
WHERE EXISTS (SELECT 1 FROM orders_v2 AS app_v1 WHERE app_v1.id = orders_v2.id AND kind = 'app') AND kind = 'web'
