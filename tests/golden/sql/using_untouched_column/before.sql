SELECT a.total
FROM orders_v1 a
JOIN buyers b USING (order_id)
