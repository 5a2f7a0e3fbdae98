SELECT id AS order_id, buyer_id AS customer, amount AS total, state AS condition, placed
FROM shop.orders_v2
ORDER BY order_id
