SELECT user_id AS u, x FROM core.users_v1 ARRAY JOIN splitByChar(',', country) AS x
