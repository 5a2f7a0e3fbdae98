SELECT id AS event_id, (SELECT p.value FROM UNNEST(events_v2.params) AS p WHERE p.key = 'k') AS k
FROM prod.web.events_v2
WHERE 'y' IN UNNEST(labels)
