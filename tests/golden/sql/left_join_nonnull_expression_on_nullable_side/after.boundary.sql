SELECT v.user_id, u.plan
FROM prod.core.visits AS v
LEFT JOIN (
  SELECT account_id AS user_id, geo.country AS country,
         CASE tier WHEN 3 THEN 'premium' ELSE 'free' END AS plan, created_on AS signup
  FROM prod.core.users_v2
  WHERE device = 'ALL'
) AS u ON u.user_id = v.user_id
