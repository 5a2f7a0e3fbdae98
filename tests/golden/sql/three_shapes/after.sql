WITH spent AS (
  SELECT u.name, o.total AS amount
  FROM web_orders o
  JOIN accounts u ON u.id = o.id
  WHERE NOT o.test
)
SELECT s.name, SUM(s.amount) AS amount, (SELECT SUM(n) FROM visits_v2) AS visits
FROM spent s
GROUP BY s.name
