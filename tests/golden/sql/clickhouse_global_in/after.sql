SELECT p FROM core.o WHERE id GLOBAL IN (SELECT account_id FROM core.users_v2 WHERE device = 'ALL')
