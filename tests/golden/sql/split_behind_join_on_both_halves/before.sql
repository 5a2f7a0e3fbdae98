SELECT b.badge, u.name
FROM badges b
JOIN users_v1 u ON u.score > b.score AND u.user_id = b.owner
