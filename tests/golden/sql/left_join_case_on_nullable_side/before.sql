SELECT c.name, o.order_id, o.status
FROM shop.customers c
LEFT JOIN shop.orders_v1 o ON o.customer = c.customer
