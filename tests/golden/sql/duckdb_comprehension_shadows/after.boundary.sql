SELECT [n FOR n IN [1, 2] IF n > 1] AS l, n AS m FROM (
  SELECT account_id AS user_id, country, CASE tier WHEN 3 THEN 'premium' ELSE 'free' END AS plan, n
  FROM core.users_v2 WHERE device = 'ALL'
) AS users_v1
