SELECT l.region, SUM(v.visits * l.people) AS n FROM visits_v1 v, lands l WHERE l.code = v.land GROUP BY l.region
