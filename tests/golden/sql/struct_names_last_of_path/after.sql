SELECT e.event_ts AS ts, STRUCT(context.page, e.context.ref, id AS event_id, context.ref AS source) AS seen
FROM prod.web.events_v2 AS e;
SELECT COUNT(*) AS n FROM prod.web.events_v2;
