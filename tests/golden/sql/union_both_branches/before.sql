SELECT order_id FROM orders_v1 WHERE channel IN ('web', 'app')
