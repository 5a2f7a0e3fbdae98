SELECT
  (SELECT COUNT(*) FROM shop.orders_v1),
  c.name,
  EXISTS(SELECT 1 FROM shop.orders_v1 o WHERE o.customer = c.customer),
  (SELECT MAX(s) FROM (SELECT status AS s FROM shop.orders_v1) AS d)
FROM shop.customers c
ORDER BY 2
