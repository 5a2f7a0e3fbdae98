SELECT order_id, UPPER(label) AS name
FROM orders_v1
WHERE label = 'x'
