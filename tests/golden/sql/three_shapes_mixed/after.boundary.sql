SELECT o.order_no AS order_id, p.email, v.visits
FROM app_orders o
JOIN accounts u ON u.id = o.order_no
LEFT JOIN profiles AS p ON p.account = u.id
LEFT JOIN (
  SELECT day, SUM(n) AS visits
  FROM visits_v2
  GROUP BY day
) v ON v.day = DATE '2024-01-01'
WHERE v.visits > 1
