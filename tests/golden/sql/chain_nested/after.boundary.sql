SELECT user_id, plan
FROM (
  SELECT u.id AS user_id, plan, plan = 'premium' AS paying, upper(region) AS land
  FROM (SELECT DISTINCT * FROM (
  SELECT account_id AS id, CASE tier WHEN 3 THEN 'premium' WHEN 2 THEN 'basic' END AS plan,
         kind, geo || '' AS region
  FROM users_v3
  WHERE device = 'ALL' OR device = 'any'
  ) AS users_v2) AS u
  WHERE kind = 'person'
) u
WHERE land IS NOT NULL
