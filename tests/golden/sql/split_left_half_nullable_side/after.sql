SELECT b.badge, u.name
FROM badges b
LEFT JOIN accounts u ON u.id = b.owner AND u.live
