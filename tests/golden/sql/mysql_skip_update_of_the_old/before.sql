UPDATE core.users_v1 u JOIN core.o ON u.user_id = o.id SET u.plan = 'x'
