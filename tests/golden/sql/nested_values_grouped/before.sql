SELECT city, COUNT(*) AS n, SUM(n) AS total
FROM events_v1
GROUP BY city
HAVING SUM(size) > 0
