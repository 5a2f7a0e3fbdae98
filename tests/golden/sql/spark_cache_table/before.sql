CACHE TABLE c AS SELECT user_id FROM core.users_v1
