FROM core.users_v1 SELECT user_id WHERE plan = 'free'
