SELECT v.user_id, u.plan
FROM prod.core.visits AS v
LEFT JOIN prod.core.users_v1 AS u ON u.user_id = v.user_id
