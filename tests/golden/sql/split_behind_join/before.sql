SELECT b.badge, u.name, u.email
FROM badges b
JOIN users_v1 u ON u.user_id = b.owner AND u.name <> 'x'
WHERE b.score < 9
