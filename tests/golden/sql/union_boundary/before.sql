SELECT region, SUM(total) AS total
FROM sales_v1 AS s
GROUP BY region
ORDER BY region
