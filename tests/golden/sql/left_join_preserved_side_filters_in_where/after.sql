SELECT o.id AS order_id, c.name
FROM shop.orders_v2 o
LEFT JOIN shop.customers c ON c.customer = o.buyer_id
WHERE o.channel = 'ALL'
