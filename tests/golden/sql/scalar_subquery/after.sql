SELECT c.name, (SELECT MAX(o.amount) FROM shop.orders_v2 o WHERE o.buyer_id = c.customer AND o.channel = 'ALL') AS top
FROM shop.customers c
