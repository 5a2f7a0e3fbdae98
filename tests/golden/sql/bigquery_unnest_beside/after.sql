SELECT u.account_id AS user_id, x FROM prod.core.users_v2 u, UNNEST(SPLIT(u.country, ',')) AS x WHERE u.device = 'ALL'
