SELECT c.name, o.id AS order_id
FROM shop.orders_v2 o
RIGHT JOIN shop.customers c ON o.buyer_id = c.customer AND o.channel = 'ALL'
