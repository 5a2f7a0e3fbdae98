SELECT id AS order_id, total AS amount FROM web_orders WHERE total > 5 AND NOT test
