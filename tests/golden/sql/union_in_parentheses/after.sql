SELECT id AS order_id
FROM web_orders
WHERE (total > 4) AND NOT test
