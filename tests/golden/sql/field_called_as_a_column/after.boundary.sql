SELECT client.country AS country, COUNT(*) AS visits
FROM (
  SELECT client_info AS client, land AS country, seen_at AS seen FROM web.visits_v2
) AS visits
GROUP BY country
