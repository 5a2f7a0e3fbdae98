SELECT o.id, u.plan FROM core.o LEFT JOIN LATERAL (SELECT CASE tier WHEN 3 THEN 'premium' ELSE 'free' END AS plan FROM core.users_v2 u WHERE u.account_id = o.id AND device = 'ALL' LIMIT 1) u ON true
