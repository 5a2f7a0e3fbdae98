SELECT id, geo.place.city AS city, labels[1] AS first_tag, e.props->>'plan' AS plan, CAST(props->>'$.n' AS INTEGER) * 2 AS twice, attrs['size'] AS size
FROM events_v2 e
WHERE (props->>'plan') = 'pro' AND geo.place.city <> 'x'
ORDER BY id
