UPDATE core.o JOIN (
  SELECT account_id AS user_id, country, CASE tier WHEN 3 THEN 'premium' ELSE 'free' END AS plan, n
  FROM core.users_v2 WHERE device = 'ALL'
) u ON u.user_id = o.id SET o.p = u.plan
