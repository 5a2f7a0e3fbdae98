SELECT order_id, -total AS amount
FROM orders_v1
ORDER BY amount, order_id
