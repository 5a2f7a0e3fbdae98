SELECT amount FROM orders_v1 WHERE channel = 'web'
