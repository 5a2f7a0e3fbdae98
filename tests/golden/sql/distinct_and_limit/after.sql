SELECT DISTINCT state AS status FROM shop.orders_v2 WHERE channel = 'ALL' ORDER BY status NULLS LAST LIMIT 2
