SELECT x.name, y.name AS other
FROM users_v1 x
JOIN users_v1 y ON x.user_id < y.user_id
