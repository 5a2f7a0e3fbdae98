SELECT users_v2.account_id AS user_id, x FROM core.users_v2 CROSS JOIN UNNEST(split(users_v2.country, ',')) AS t(x) WHERE users_v2.device = 'ALL'
