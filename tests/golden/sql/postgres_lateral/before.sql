SELECT o.id, u.plan FROM core.o LEFT JOIN LATERAL (SELECT plan FROM core.users_v1 u WHERE u.user_id = o.id LIMIT 1) u ON true
