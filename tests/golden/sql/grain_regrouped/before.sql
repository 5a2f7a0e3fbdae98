SELECT day, SUM(visits) AS visits, MIN(since) AS since
FROM visits_v1
WHERE land = 'SE' OR land IS NULL
GROUP BY day
HAVING SUM(visits) > 0 OR MIN(since) IS NULL
ORDER BY day
