WITH spent AS (
  SELECT u.name, o.amount
  FROM orders_v1 o
  JOIN users_v1 u ON u.user_id = o.order_id
  WHERE o.channel = 'web'
)
SELECT s.name, SUM(s.amount) AS amount, (SELECT SUM(visits) FROM visits_v1) AS visits
FROM spent s
GROUP BY s.name
