SELECT o.id AS order_id, o.buyer_id AS customer, o.amount, o.state AS status, o.placed, r.*
FROM shop.orders_v2 AS o
JOIN shop.refunds AS r ON r.order_id = o.id
