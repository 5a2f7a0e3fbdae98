SELECT
  (SELECT COUNT(*) FROM shop.orders_v2 WHERE channel = 'ALL') AS "(SELECT count_star() FROM shop.orders_v1)",
  c.name,
  EXISTS(SELECT 1 FROM shop.orders_v2 o WHERE o.buyer_id = c.customer AND o.channel = 'ALL') AS "EXISTS(SELECT 1 FROM shop.orders_v1 AS o WHERE (o.customer = c.customer))",
  (SELECT MAX(s) FROM (SELECT state AS s FROM shop.orders_v2 WHERE channel = 'ALL') AS d) AS "(SELECT max(s) FROM (SELECT status AS s FROM shop.orders_v1) AS d)"
FROM shop.customers c
ORDER BY 2
