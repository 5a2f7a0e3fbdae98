SELECT day, AVG(visits) AS n FROM visits_v1 GROUP BY day
