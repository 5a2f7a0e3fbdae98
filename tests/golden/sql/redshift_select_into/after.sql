SELECT account_id AS user_id INTO TEMP t FROM core.users_v2 WHERE device = 'ALL'
