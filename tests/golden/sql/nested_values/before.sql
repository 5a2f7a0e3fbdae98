SELECT id, city, first_tag, e.plan, n * 2 AS twice, size
FROM events_v1 e
WHERE plan = 'pro' AND city <> 'x'
ORDER BY id
