SELECT order_id, colour FROM shop.orders_v1
