SELECT o.id AS order_id, c.name
FROM shop.orders_v2 o
CROSS JOIN shop.customers c
WHERE o.channel = 'ALL'
