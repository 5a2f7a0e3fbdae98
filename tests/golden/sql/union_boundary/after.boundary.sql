SELECT region, SUM(total) AS total
FROM (
  SELECT day, 'eu' AS region, total FROM sales_eu
  UNION ALL
  SELECT day, 'us' AS region, total FROM sales_us
) AS s
GROUP BY region
ORDER BY region
