SELECT u.name, (SELECT COUNT(*) FROM badges p WHERE p.owner = u.user_id AND p.score < u.score) AS n
FROM users_v1 u
