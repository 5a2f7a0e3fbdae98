SELECT orders_v2.id AS order_id, orders_v2.state AS status
FROM shop.orders_v2
