SELECT a.total, name, id
FROM orders_v1 a
JOIN buyers b ON a.order_id = b.order_id
