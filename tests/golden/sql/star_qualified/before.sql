SELECT c.name, o.*
FROM shop.orders_v1 AS o
JOIN shop.customers AS c ON c.customer = o.customer
