SELECT account AS user, labels[SAFE_OFFSET(0)] AS first
FROM prod.web.events_v2
WHERE EXTRACT(YEAR FROM event_ts) = 2024
