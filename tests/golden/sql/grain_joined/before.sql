SELECT l.region, SUM(v.visits) AS n, MAX(l.people) AS people
FROM lands l
LEFT JOIN visits_v1 v ON v.land = l.code AND v.day < DATE '2024-01-03'
GROUP BY l.region
