SELECT client.country AS country, COUNT(*) AS visits
FROM web.visits
GROUP BY country
