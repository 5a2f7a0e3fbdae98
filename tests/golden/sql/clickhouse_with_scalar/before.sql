WITH (SELECT max(n) FROM core.users_v1) AS m SELECT user_id AS u FROM core.users_v1 WHERE n = m
