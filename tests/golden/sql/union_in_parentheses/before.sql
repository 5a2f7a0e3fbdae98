SELECT order_id
FROM orders_v1
WHERE (channel = 'web' AND amount > 4)
