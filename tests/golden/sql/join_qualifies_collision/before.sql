SELECT order_id, name, status, c.state
FROM shop.orders_v1
JOIN shop.customers AS c ON c.customer = orders_v1.customer
ORDER BY order_id
