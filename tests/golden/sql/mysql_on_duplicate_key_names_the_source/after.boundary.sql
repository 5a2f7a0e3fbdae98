INSERT INTO core.o SELECT user_id, plan FROM (
  SELECT account_id AS user_id, country, CASE tier WHEN 3 THEN 'premium' ELSE 'free' END AS plan, n
  FROM core.users_v2 WHERE device = 'ALL'
) AS u ON DUPLICATE KEY UPDATE p = u.plan
