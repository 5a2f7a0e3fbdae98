SELECT o.id, x.n FROM core.o OUTER APPLY (SELECT TOP 1 u.n FROM (
  SELECT account_id AS user_id, country, CASE tier WHEN 3 THEN 'premium' ELSE 'free' END AS plan, n
  FROM core.users_v2 WHERE device = 'ALL'
) u WHERE u.user_id = o.id ORDER BY u.n) x
