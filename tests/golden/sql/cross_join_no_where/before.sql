SELECT o.order_id, c.name
FROM shop.orders_v1 o
CROSS JOIN shop.customers c
