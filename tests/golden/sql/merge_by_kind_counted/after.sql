SELECT COUNT(*) AS n FROM orders_v2, orders_v2 AS app_v1 WHERE orders_v2.kind = 'web' AND app_v1.kind = 'app'
