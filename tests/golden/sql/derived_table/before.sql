SELECT t.customer, t.n
FROM (
  SELECT customer, COUNT(*) AS n
  FROM shop.orders_v1
  GROUP BY customer
) AS t
WHERE t.n > 1
