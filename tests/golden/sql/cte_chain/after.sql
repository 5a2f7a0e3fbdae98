WITH paid AS (
  SELECT id AS order_id, buyer_id AS customer, amount
  FROM shop.orders_v2
  WHERE state = 'paid'
), per_customer AS (
  SELECT customer, SUM(amount) AS total FROM paid GROUP BY customer
)
SELECT p.order_id, c.total
FROM paid p JOIN per_customer c ON c.customer = p.customer
