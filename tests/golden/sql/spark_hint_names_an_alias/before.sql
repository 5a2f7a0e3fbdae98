SELECT /*+ BROADCAST(u) */ u.user_id, p FROM core.users_v1 u JOIN core.o ON o.id = u.user_id
