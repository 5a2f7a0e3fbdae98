SELECT day, MAX(visits) AS n FROM visits_v1 GROUP BY day
