SELECT day, COUNT(*) AS n FROM visits_v1 GROUP BY day
