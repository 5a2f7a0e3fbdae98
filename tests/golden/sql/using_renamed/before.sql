SELECT order_id, c.name
FROM shop.orders_v1 o
JOIN shop.customers c USING (customer)
