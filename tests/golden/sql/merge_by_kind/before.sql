SELECT w.order_id, w.amount, app_v1.amount AS other
FROM web_v1 w
LEFT JOIN app_v1 ON app_v1.order_id = w.order_id
