SELECT day, SUM(parts) AS n FROM visits_v1 GROUP BY day
