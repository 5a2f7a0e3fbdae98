WITH orders_v1 AS (
  SELECT id AS order_id, state AS status FROM shop.orders_v2 WHERE amount > 1
)
SELECT order_id, status FROM orders_v1 WHERE status = 'paid'
