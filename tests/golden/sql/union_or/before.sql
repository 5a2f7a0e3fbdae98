SELECT order_id FROM orders_v1 WHERE channel = 'web' OR amount > 5
