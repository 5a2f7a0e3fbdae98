SELECT c.name, o.amount
FROM shop.customers c
LEFT JOIN shop.orders_v1 o USING (customer)
