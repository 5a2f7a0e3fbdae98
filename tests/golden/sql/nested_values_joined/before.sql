SELECT p.price, e.first_tag, len(e.tags) AS tags
FROM plans p
LEFT JOIN events_v1 e ON e.plan = p.plan
