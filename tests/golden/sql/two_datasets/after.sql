SELECT o.id AS order_id, c.name, c.region AS state
FROM shop.orders_v2 o
JOIN shop.buyers c ON o.buyer_id = c.id
WHERE o.state = 'paid'
