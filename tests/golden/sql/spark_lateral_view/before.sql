SELECT user_id, x FROM core.users_v1 LATERAL VIEW explode(split(country, ',')) t AS x
