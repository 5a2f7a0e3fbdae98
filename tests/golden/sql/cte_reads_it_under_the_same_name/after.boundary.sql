WITH orders_v1 AS (
  SELECT order_id, status FROM (SELECT id AS order_id, buyer_id AS customer, amount, state AS status, placed FROM shop.orders_v2) AS orders_v1 WHERE amount > 1
)
SELECT order_id, status FROM orders_v1 WHERE status = 'paid'
