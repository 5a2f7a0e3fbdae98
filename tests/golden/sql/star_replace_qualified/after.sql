SELECT c.name,
  o.id AS order_id,
  o.buyer_id AS customer,
  o.amount * 2 AS amount,
  UPPER(o.state) AS status
FROM shop.orders_v2 AS o
JOIN shop.customers AS c ON c.customer = o.buyer_id
