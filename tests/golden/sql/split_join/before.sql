SELECT user_id, u.name, email
FROM users_v1 u
WHERE u.user_id > 1 AND score > 3
