SELECT client.id, country
FROM web.visits
WHERE seen > 0
QUALIFY ROW_NUMBER() OVER (PARTITION BY id ORDER BY seen DESC) = 1
