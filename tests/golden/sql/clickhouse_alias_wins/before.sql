SELECT user_id AS country, country AS c FROM core.users_v1 WHERE n > 1
