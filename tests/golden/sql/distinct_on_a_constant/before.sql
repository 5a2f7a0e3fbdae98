SELECT DISTINCT ON (shop) shop, id FROM core.orders_v1 ORDER BY shop, id
