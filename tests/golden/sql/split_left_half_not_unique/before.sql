SELECT name
FROM users_v1
