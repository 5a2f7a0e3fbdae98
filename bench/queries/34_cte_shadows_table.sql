WITH orders_v1 AS (
  SELECT order_id, total AS amount FROM prod.shop.orders_v1 WHERE status = 'open'
)
SELECT order_id, amount FROM orders_v1 WHERE amount > 100
