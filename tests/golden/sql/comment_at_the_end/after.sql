SELECT id AS order_id
FROM shop.orders_v2 -- the source
WHERE channel = 'ALL'
-- done
