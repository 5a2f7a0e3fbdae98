SELECT b.badge, u.name, u.score
FROM users_v1 u
RIGHT JOIN badges b ON u.user_id = b.owner
