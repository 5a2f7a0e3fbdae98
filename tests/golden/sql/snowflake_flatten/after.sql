SELECT u.account_id AS user_id, f.value FROM core.users_v2 u, LATERAL FLATTEN(INPUT => SPLIT(u.country, ',')) f WHERE u.n > 1 AND u.device = 'ALL'
