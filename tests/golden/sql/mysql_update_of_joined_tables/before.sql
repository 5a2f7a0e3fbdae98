UPDATE core.o JOIN core.users_v1 u ON u.user_id = o.id SET o.p = u.plan
