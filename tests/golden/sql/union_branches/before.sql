SELECT order_id, 'o' AS src FROM shop.orders_v1 WHERE status = 'open'
UNION ALL
SELECT order_id, 'r' FROM shop.refunds
UNION ALL
SELECT customer, status FROM shop.orders_v1
ORDER BY order_id, src
