-- Totals by status and channel (a scan with many aggregates).
SELECT
  status,
  channel,
  COUNT(*) AS orders,
  SUM(total) AS gross,
  SUM(total * 0.8) AS net,
  AVG(total) AS mean_total,
  MIN(placed_on) AS first_day
FROM
  `prod.shop.orders_v1`
WHERE
  placed_on <= DATE_SUB(@submission_date, INTERVAL 90 DAY)
GROUP BY
  status,
  channel
ORDER BY
  status,
  channel
