SELECT user_id, plan
FROM users_v1 u
WHERE land IS NOT NULL
