SELECT 'web' AS source, order_id, total FROM prod.shop.orders_v1 WHERE channel = 'web'
UNION ALL
SELECT 'store', order_id, total FROM prod.shop.orders_v1 WHERE channel = 'store'
UNION ALL
SELECT 'archive', order_id, total FROM prod.shop.archive
