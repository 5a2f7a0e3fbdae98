SELECT l.region, SUM(v.visits) AS n, SUM(l.people) AS people
FROM lands l
LEFT JOIN visits_v1 v ON v.land = l.code
GROUP BY l.region
