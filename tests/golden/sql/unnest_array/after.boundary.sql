SELECT event_id, tag
FROM (
  SELECT id AS event_id, account AS user, event_ts AS ts, labels AS tags,
    context AS ctx, params AS props
  FROM prod.web.events_v2
) AS events_v1, UNNEST(tags) AS tag
WHERE tag <> 'x'
