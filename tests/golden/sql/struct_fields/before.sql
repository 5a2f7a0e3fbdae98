SELECT event_id, ctx.page, e.ctx.ref AS ref
FROM prod.web.events_v1 AS e
WHERE ctx.page = '/'
