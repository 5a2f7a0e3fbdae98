PREPARE q AS SELECT account_id AS user_id FROM core.users_v2 WHERE country = $1 AND device = 'ALL';
EXPLAIN ANALYZE SELECT account_id AS user_id FROM core.users_v2 WHERE device = 'ALL';
