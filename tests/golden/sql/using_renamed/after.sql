SELECT o.id AS order_id, c.name
FROM shop.orders_v2 o
JOIN shop.customers c ON o.buyer_id = c.customer
