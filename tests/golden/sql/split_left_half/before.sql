SELECT name, COUNT(*) AS n
FROM users_v1
WHERE user_id > 1
GROUP BY name
