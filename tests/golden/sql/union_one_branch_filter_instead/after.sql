SELECT id AS order_id, url AS source FROM web_orders WHERE NOT test
