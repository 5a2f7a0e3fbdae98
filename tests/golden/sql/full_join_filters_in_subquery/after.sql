SELECT c.name, o.id AS order_id
FROM shop.customers c
FULL JOIN (SELECT * FROM shop.orders_v2 WHERE channel = 'ALL') o ON o.buyer_id = c.customer
