SELECT user_id, IF(plan = 'premium', 1, 0) AS paying
FROM prod.core.users_v1
WHERE UPPER(country) IN ('SE', 'NO')
