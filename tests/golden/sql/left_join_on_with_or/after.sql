SELECT c.name, o.id AS order_id
FROM shop.customers c
LEFT JOIN shop.orders_v2 o ON (o.buyer_id = c.customer OR o.amount > 8) AND o.channel = 'ALL'
