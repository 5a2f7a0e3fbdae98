SELECT c.name, (SELECT MAX(o.amount) FROM shop.orders_v1 o WHERE o.customer = c.customer) AS top
FROM shop.customers c
