SELECT account_id AS user_id, CASE tier WHEN 3 THEN 'premium' ELSE 'free' END = 'premium' AS is_premium
FROM prod.core.users_v2
WHERE CASE tier WHEN 3 THEN 'premium' ELSE 'free' END = 'free' AND NOT (CASE tier WHEN 3 THEN 'premium' ELSE 'free' END = 'premium' AND geo.country = 'SE') AND device = 'ALL'
