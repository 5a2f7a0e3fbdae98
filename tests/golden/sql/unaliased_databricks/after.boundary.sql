SELECT customer, sum(amount), max(status) AS last
FROM (
  SELECT id AS order_id, buyer_id AS customer, cents AS amount, state AS status FROM shop.orders_v2
) AS orders_v1
GROUP BY customer
