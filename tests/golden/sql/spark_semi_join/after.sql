SELECT users_v2.account_id AS user_id, users_v2.n FROM core.users_v2 LEFT SEMI JOIN core.o ON o.id = users_v2.account_id WHERE users_v2.device = 'ALL'
