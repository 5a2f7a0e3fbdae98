SELECT SUM(v.n) AS n, COUNT(DISTINCT UPPER(v.country)) AS lands, MAX(v.day) AS last FROM visits_v2 AS v WHERE v.day > DATE '2030-01-01' AND v.live
