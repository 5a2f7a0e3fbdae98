SELECT o.order_id, c.name, c.state
FROM shop.orders_v1 o
JOIN shop.customers c ON o.customer = c.customer
WHERE o.status = 'paid'
