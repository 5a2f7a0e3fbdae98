SELECT c.name
FROM shop.customers c
WHERE EXISTS (
  SELECT 1 FROM shop.orders_v1 o WHERE o.customer = c.customer AND o.status = 'paid'
)
