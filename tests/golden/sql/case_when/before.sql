SELECT CASE WHEN status = 'paid' THEN amount WHEN status IS NULL THEN 0 END AS settled, order_id BETWEEN 2 AND 4 AS mid
FROM shop.orders_v1
