SELECT o.order_id, r.refund
FROM shop.orders_v1 o
JOIN shop.refunds r ON r.order_id = o.order_id
