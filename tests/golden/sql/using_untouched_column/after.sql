SELECT a.amount AS total
FROM orders_v2 a
JOIN buyers b ON a.id = b.order_id
