SELECT id AS order_id -- key
FROM shop.orders_v2
WHERE channel = 'ALL'
ORDER BY order_id
