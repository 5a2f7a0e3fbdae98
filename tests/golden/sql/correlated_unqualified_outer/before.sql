SELECT order_id
FROM shop.orders_v1
WHERE amount > (SELECT AVG(r.refund) FROM shop.refunds r WHERE r.order_id = orders_v1.order_id)
