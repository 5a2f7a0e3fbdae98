UPDATE prod.core.o SET p = (SELECT MAX(plan) FROM (
  SELECT account_id AS user_id, country, CASE tier WHEN 3 THEN 'premium' ELSE 'free' END AS plan, n
  FROM prod.core.users_v2 WHERE device = 'ALL'
) AS users_v1 WHERE user_id = id) WHERE TRUE
