SELECT c.name, o.order_id
FROM shop.customers c
LEFT JOIN shop.orders_v1 o ON o.customer = c.customer OR o.amount > 8
