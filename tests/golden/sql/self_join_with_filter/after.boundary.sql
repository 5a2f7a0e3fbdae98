SELECT a.order_id, b.order_id AS other
FROM (
  SELECT id AS order_id, buyer_id AS customer, amount, state AS status, placed
  FROM shop.orders_v2
  WHERE channel = 'ALL'
) a
JOIN (
  SELECT id AS order_id, buyer_id AS customer, amount, state AS status, placed
  FROM shop.orders_v2
  WHERE channel = 'ALL'
) b ON a.customer = b.customer
WHERE a.amount > 1
