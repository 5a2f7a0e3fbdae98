SELECT user_id AS u FROM core.users_v1 WHERE n > 1 SETTINGS max_threads = 1
