SELECT customer, v.pages
FROM (
  SELECT id AS order_id, buyer_id AS customer, amount, state AS status, placed FROM shop.orders_v2
) o
FULL JOIN shop.visits v USING (customer)
