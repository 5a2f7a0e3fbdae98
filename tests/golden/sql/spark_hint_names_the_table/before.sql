SELECT /*+ BROADCAST(users_v1) */ user_id, p FROM core.users_v1 JOIN core.o ON o.id = user_id
