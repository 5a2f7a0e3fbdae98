SELECT c.name, o.total
FROM prod.shop.orders_v1 AS o
RIGHT JOIN prod.shop.customers_v1 AS c ON o.customer_id = c.customer_id AND o.status = 'open'
