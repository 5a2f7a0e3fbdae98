SELECT user_id, plan = 'premium' AS is_premium
FROM prod.core.users_v1
WHERE plan = 'free' AND NOT (plan = 'premium' AND country = 'SE')
