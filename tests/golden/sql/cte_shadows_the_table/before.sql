WITH orders_v1 AS (SELECT 1 AS order_id, 'x' AS status)
SELECT order_id, status FROM orders_v1
