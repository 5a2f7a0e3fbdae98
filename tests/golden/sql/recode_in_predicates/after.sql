SELECT account_id AS user_id, IF(tier = 3, 1, 0) AS paying
FROM prod.core.users_v2
WHERE UPPER(geo.country) IN ('SE', 'NO') AND device = 'ALL'
