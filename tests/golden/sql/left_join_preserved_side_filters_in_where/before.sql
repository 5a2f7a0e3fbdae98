SELECT o.order_id, c.name
FROM shop.orders_v1 o
LEFT JOIN shop.customers c ON c.customer = o.customer
