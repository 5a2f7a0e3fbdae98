WITH (SELECT max(n) FROM core.users_v2 WHERE device = 'ALL') AS m SELECT account_id AS u FROM core.users_v2 WHERE n = m AND device = 'ALL'
