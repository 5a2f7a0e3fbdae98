SELECT id AS event_id, context.page, e.context.ref AS ref
FROM prod.web.events_v2 AS e
WHERE context.page = '/'
