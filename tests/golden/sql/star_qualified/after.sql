SELECT c.name, o.id AS order_id, o.buyer_id AS customer, o.amount, o.state AS status, o.placed
FROM shop.orders_v2 AS o
JOIN shop.customers AS c ON c.customer = o.buyer_id
