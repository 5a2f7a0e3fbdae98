SELECT b.badge, u.name, u.score
FROM badges b
RIGHT JOIN users_v1 u ON u.user_id = b.owner
