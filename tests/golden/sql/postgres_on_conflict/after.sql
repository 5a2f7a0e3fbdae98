INSERT INTO core.o (id) SELECT account_id FROM core.users_v2 WHERE device = 'ALL' ON CONFLICT DO NOTHING
