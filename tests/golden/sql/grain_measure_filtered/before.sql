SELECT day, SUM(visits) AS n FROM visits_v1 WHERE visits > 3 GROUP BY day
