CREATE MATERIALIZED VIEW mv AS SELECT user_id FROM core.users_v1 WHERE country = 'SE'
