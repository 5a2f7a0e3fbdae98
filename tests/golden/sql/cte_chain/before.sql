WITH paid AS (
  SELECT order_id, customer, amount
  FROM shop.orders_v1
  WHERE status = 'paid'
), per_customer AS (
  SELECT customer, SUM(amount) AS total FROM paid GROUP BY customer
)
SELECT p.order_id, c.total
FROM paid p JOIN per_customer c ON c.customer = p.customer
