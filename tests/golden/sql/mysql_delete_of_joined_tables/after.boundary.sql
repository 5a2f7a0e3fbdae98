DELETE o FROM core.o o JOIN (
  SELECT account_id AS user_id, country, CASE tier WHEN 3 THEN 'premium' ELSE 'free' END AS plan, n
  FROM core.users_v2 WHERE device = 'ALL'
) u ON u.user_id = o.id WHERE u.plan = 'free'
