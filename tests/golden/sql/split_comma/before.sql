SELECT *
FROM users_v1
