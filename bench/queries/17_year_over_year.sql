WITH monthly AS (
  SELECT DATE_TRUNC(placed_on, MONTH) AS month, channel, SUM(total) AS gross
  FROM prod.shop.orders_v1
  GROUP BY month, channel
)
SELECT now.month, now.channel, now.gross, past.gross AS gross_last_year
FROM monthly AS now
LEFT JOIN monthly AS past ON past.channel = now.channel AND past.month = DATE_SUB(now.month, INTERVAL 1 YEAR)
