SELECT p.price, e.labels[1] AS first_tag, len(e.labels) AS tags
FROM plans p
LEFT JOIN events_v2 e ON (e.props->>'plan') = p.plan
