SELECT v.user_id, u.plan
FROM prod.core.visits AS v
JOIN prod.core.users_v1 AS u ON u.user_id = v.user_id
WHERE TRUE
QUALIFY ROW_NUMBER() OVER (PARTITION BY v.user_id ORDER BY v.day DESC, u.signup) = 1
