SELECT DISTINCT ON (shop) shop, id FROM (SELECT order_id AS id, 'web' AS shop, net + tax AS total FROM core.orders_v2) AS orders_v1 ORDER BY shop, id
