SELECT DISTINCT * FROM (
  SELECT day, UPPER(country) AS land, SUM(n) AS visits, SUM(secs) AS seconds, MIN(first_seen) AS since, COUNT(*) AS parts
  FROM visits_v2
  WHERE live
  GROUP BY day, UPPER(country)
) AS visits_v1 WHERE day = DATE '2024-01-01'
