SELECT users_v2.account_id AS u, x FROM core.users_v2 ARRAY JOIN splitByChar(',', users_v2.country) AS x WHERE users_v2.device = 'ALL'
