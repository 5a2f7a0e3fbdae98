SELECT c.name, o.order_id
FROM shop.orders_v1 o
RIGHT JOIN shop.customers c ON o.customer = c.customer
