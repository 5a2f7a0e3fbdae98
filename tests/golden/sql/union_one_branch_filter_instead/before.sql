SELECT order_id, source FROM orders_v1 WHERE 'web' = channel
