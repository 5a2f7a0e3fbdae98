SELECT id AS event_id, tag
FROM prod.web.events_v2, UNNEST(labels) AS tag
WHERE tag <> 'x'
