SELECT name, refund, amount
FROM (
  SELECT id AS order_id, buyer_id AS customer, amount, state AS status, placed
  FROM shop.orders_v2
  WHERE channel = 'ALL'
) AS orders_v1
JOIN shop.customers ON cust_no = customer
JOIN shop.refunds ON order_no = order_id
