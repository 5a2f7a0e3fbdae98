SELECT w.id AS order_id, w.total AS amount, a.amount AS other
FROM web_orders w
JOIN app_orders a ON a.order_no = w.id
WHERE NOT w.test
