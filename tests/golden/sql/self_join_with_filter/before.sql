SELECT a.order_id, b.order_id AS other
FROM shop.orders_v1 a
JOIN shop.orders_v1 b ON a.customer = b.customer
WHERE a.amount > 1
