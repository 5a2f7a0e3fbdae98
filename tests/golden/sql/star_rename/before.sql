SELECT * RENAME (status AS condition, amount AS total)
FROM shop.orders_v1
ORDER BY order_id
