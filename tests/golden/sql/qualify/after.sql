SELECT v.user_id, CASE u.tier WHEN 3 THEN 'premium' ELSE 'free' END AS plan
FROM prod.core.visits AS v
JOIN prod.core.users_v2 AS u ON u.account_id = v.user_id
WHERE TRUE AND u.device = 'ALL'
QUALIFY ROW_NUMBER() OVER (PARTITION BY v.user_id ORDER BY v.day DESC, u.created_on) = 1
