SELECT l.region, SUM(v.visits) AS n, SUM(l.people) AS people
FROM lands l
LEFT JOIN (
  SELECT day, UPPER(country) AS land, SUM(n) AS visits, SUM(secs) AS seconds, MIN(first_seen) AS since, COUNT(*) AS parts
  FROM visits_v2
  WHERE live
  GROUP BY day, UPPER(country)
) v ON v.land = l.code
GROUP BY l.region
