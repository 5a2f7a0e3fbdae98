SELECT b.badge, u.name
FROM badges b
LEFT JOIN users_v1 u ON u.user_id = b.owner
