CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO INSERT INTO core.o (id) SELECT account_id FROM core.users_v2 WHERE device = 'ALL'
