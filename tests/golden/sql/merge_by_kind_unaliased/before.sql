SELECT web_v1.order_id, app_v1.amount AS other
FROM web_v1
JOIN app_v1 ON app_v1.order_id = web_v1.order_id
