SELECT day, SUM(n) AS visits, MIN(first_seen) AS since
FROM visits_v2
WHERE (UPPER(country) = 'SE' OR UPPER(country) IS NULL) AND live
GROUP BY day
HAVING SUM(n) > 0 OR MIN(first_seen) IS NULL
ORDER BY day
