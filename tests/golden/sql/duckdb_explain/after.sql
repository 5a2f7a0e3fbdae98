SELECT account_id AS user_id FROM core.users_v2 WHERE device = 'ALL';
EXPLAIN SELECT account_id AS user_id FROM core.users_v2 WHERE device = 'ALL';
