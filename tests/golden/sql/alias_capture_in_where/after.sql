SELECT id AS order_id, UPPER(name) AS name
FROM orders_v2
WHERE name = 'x'
