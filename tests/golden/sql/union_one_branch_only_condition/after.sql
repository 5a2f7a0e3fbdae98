SELECT o.order_no AS order_id, 'app' AS channel, o.device AS source
FROM app_orders AS o
ORDER BY o.order_no
