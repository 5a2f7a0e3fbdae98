SELECT event_id, (SELECT p.value FROM UNNEST(props) AS p WHERE p.key = 'k') AS k
FROM prod.web.events_v1
WHERE 'y' IN UNNEST(tags)
