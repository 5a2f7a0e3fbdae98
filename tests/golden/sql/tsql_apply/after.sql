SELECT o.id, x.n FROM core.o OUTER APPLY (SELECT TOP 1 u.n FROM core.users_v2 u WHERE u.account_id = o.id AND u.device = 'ALL' ORDER BY u.n) x
