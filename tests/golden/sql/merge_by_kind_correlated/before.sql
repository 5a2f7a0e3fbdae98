SELECT amount
FROM web_v1
WHERE EXISTS (SELECT 1 FROM app_v1 WHERE app_v1.order_id = web_v1.order_id)
