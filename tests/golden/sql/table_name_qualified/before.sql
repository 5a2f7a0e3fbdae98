SELECT orders_v1.order_id, shop.orders_v1.status
FROM shop.orders_v1
