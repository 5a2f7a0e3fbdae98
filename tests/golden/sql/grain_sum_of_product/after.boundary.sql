SELECT l.region, SUM(v.visits * l.people) AS n FROM (
  SELECT day, UPPER(country) AS land, SUM(n) AS visits, SUM(secs) AS seconds, MIN(first_seen) AS since, COUNT(*) AS parts
  FROM visits_v2
  WHERE live
  GROUP BY day, UPPER(country)
) v, lands l WHERE l.code = v.land GROUP BY l.region
