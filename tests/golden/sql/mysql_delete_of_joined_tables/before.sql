DELETE o FROM core.o o JOIN core.users_v1 u ON u.user_id = o.id WHERE u.plan = 'free'
