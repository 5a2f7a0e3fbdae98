SELECT order_id, status FROM archive.orders_v1 -- not shop.orders_v1
