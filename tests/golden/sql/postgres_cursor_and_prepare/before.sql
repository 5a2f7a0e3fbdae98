PREPARE q AS SELECT user_id FROM core.users_v1 WHERE country = $1;
EXPLAIN ANALYZE SELECT user_id FROM core.users_v1;
