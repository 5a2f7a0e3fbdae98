SELECT events_v2.id AS event_id, tag
FROM prod.web.events_v2, UNNEST(events_v2.labels) AS tag
WHERE tag <> 'x'
