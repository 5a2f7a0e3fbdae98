SELECT user, tags[SAFE_OFFSET(0)] AS first
FROM prod.web.events_v1
WHERE EXTRACT(YEAR FROM ts) = 2024
