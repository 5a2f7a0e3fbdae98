SELECT c.name
FROM shop.customers c
WHERE EXISTS (
  SELECT 1 FROM shop.orders_v2 o WHERE o.buyer_id = c.customer AND o.state = 'paid'
)
