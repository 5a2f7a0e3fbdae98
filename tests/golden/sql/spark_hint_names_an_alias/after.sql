SELECT /*+ BROADCAST(u) */ u.account_id AS user_id, p FROM core.users_v2 u JOIN core.o ON o.id = u.account_id WHERE u.device = 'ALL'
