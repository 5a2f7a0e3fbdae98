SELECT day, SUM(visits) AS n FROM visits_v1 WHERE random() < 2 GROUP BY day
