SELECT c.name, o.id AS order_id, CASE o.code WHEN 1 THEN 'open' WHEN 2 THEN 'paid' END AS status
FROM shop.customers c
LEFT JOIN shop.orders_v2 o ON o.buyer_id = c.customer
