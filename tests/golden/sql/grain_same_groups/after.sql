SELECT day, UPPER(country) AS land, SUM(n) AS n, SUM(n) FILTER (WHERE UPPER(country) = 'SE') AS se, SUM(SUM(n)) OVER (PARTITION BY day) AS d
FROM visits_v2
WHERE live
GROUP BY day, land
