SELECT users_v1.name, email FROM users_v1 WHERE users_v1.user_id >= 1 ORDER BY name
