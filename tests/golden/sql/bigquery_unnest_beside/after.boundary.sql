SELECT u.user_id, x FROM (
  SELECT account_id AS user_id, country, CASE tier WHEN 3 THEN 'premium' ELSE 'free' END AS plan, n
  FROM prod.core.users_v2 WHERE device = 'ALL'
) u, UNNEST(SPLIT(u.country, ',')) AS x
