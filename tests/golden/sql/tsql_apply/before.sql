SELECT o.id, x.n FROM core.o OUTER APPLY (SELECT TOP 1 u.n FROM core.users_v1 u WHERE u.user_id = o.id ORDER BY u.n) x
