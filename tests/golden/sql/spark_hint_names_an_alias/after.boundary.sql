SELECT /*+ BROADCAST(u) */ u.user_id, p FROM (
  SELECT account_id AS user_id, country, CASE tier WHEN 3 THEN 'premium' ELSE 'free' END AS plan, n
  FROM core.users_v2 WHERE device = 'ALL'
) u JOIN core.o ON o.id = u.user_id
