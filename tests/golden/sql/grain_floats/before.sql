SELECT day, SUM(seconds) AS n FROM visits_v1 GROUP BY day
