SELECT day, land, SUM(visits) AS n, SUM(visits) FILTER (WHERE land = 'SE') AS se, SUM(SUM(visits)) OVER (PARTITION BY day) AS d
FROM visits_v1
GROUP BY day, land
