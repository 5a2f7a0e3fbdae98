SELECT id AS order_id, 'o' AS src FROM shop.orders_v2 WHERE state = 'open' AND channel = 'ALL'
UNION ALL
SELECT order_id, 'r' FROM shop.refunds
UNION ALL
SELECT buyer_id, state FROM shop.orders_v2 WHERE channel = 'ALL'
ORDER BY order_id, src
