SELECT user_id FROM core.users_v1 FOR VERSION AS OF 3
