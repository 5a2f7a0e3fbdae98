SELECT event_id, tag
FROM prod.web.events_v1, UNNEST(tags) AS tag
WHERE tag <> 'x'
