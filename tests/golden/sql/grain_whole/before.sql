SELECT SUM(v.visits) AS n, COUNT(DISTINCT v.land) AS lands, MAX(v.day) AS last FROM visits_v1 AS v WHERE v.day > DATE '2030-01-01'
