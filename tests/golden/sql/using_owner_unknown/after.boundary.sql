SELECT customer, r.refund, o.amount
FROM shop.customers c
JOIN shop.refunds r ON r.refund < 2
JOIN (
  SELECT id AS order_id, buyer_id AS customer, amount, state AS status, placed
  FROM shop.orders_v2
) o USING (customer)
