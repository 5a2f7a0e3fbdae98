SELECT l.region, SUM(v.n) AS n, MAX(l.people) AS people
FROM lands l
LEFT JOIN visits_v2 v ON UPPER(v.country) = l.code AND v.day < DATE '2024-01-03' AND v.live
GROUP BY l.region
