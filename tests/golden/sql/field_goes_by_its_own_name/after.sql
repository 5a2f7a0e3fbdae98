SELECT client_info.id, land AS country
FROM web.visits_v2
WHERE seen_at > 0
QUALIFY ROW_NUMBER() OVER (PARTITION BY id ORDER BY seen_at DESC) = 1
