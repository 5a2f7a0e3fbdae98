SELECT t.customer, t.n
FROM (
  SELECT buyer_id AS customer, COUNT(*) AS n
  FROM shop.orders_v2
  WHERE channel = 'ALL'
  GROUP BY buyer_id
) AS t
WHERE t.n > 1
