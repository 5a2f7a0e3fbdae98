SELECT users_v2.account_id AS user_id, x FROM core.users_v2 LATERAL VIEW explode(split(users_v2.country, ',')) t AS x WHERE users_v2.device = 'ALL'
