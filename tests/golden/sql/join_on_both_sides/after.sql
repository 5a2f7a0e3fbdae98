SELECT o.id AS order_id, r.refund
FROM shop.orders_v2 o
JOIN shop.refunds r ON r.order_id = o.id
