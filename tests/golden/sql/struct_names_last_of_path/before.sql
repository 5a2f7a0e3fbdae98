SELECT e.ts, STRUCT(ctx.page, e.ctx.ref, event_id, ctx.ref AS source) AS seen
FROM prod.web.events_v1 AS e;
SELECT COUNT(*) AS n FROM prod.web.events_v1;
