SELECT user_id, n FROM core.users_v1 LEFT SEMI JOIN core.o ON o.id = user_id
