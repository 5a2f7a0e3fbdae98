SELECT c.name, o.amount
FROM shop.customers c
LEFT JOIN shop.orders_v2 o ON c.customer = o.buyer_id AND o.channel = 'ALL'
