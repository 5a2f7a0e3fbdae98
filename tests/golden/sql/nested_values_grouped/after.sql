SELECT geo.place.city AS city, COUNT(*) AS n, SUM(CAST(props->>'$.n' AS INTEGER)) AS total
FROM events_v2
GROUP BY geo.place.city
HAVING SUM(attrs['size']) > 0
