SELECT orders_v2.id AS order_id, name, orders_v2.state AS status, c.state
FROM shop.orders_v2
JOIN shop.customers AS c ON c.customer = orders_v2.buyer_id
ORDER BY order_id
