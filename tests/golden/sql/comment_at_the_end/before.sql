SELECT order_id
FROM shop.orders_v1 -- the source
-- done
