SELECT c.name, o.order_id
FROM shop.customers c
FULL JOIN shop.orders_v1 o ON o.customer = c.customer
