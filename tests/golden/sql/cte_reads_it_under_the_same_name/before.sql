WITH orders_v1 AS (
  SELECT order_id, status FROM shop.orders_v1 WHERE amount > 1
)
SELECT order_id, status FROM orders_v1 WHERE status = 'paid'
