FOR r IN (SELECT user_id FROM (
  SELECT account_id AS user_id, country, CASE tier WHEN 3 THEN 'premium' ELSE 'free' END AS plan, n
  FROM prod.core.users_v2 WHERE device = 'ALL'
) AS users_v1) DO
  SELECT r.user_id;
END FOR;
WHILE (SELECT COUNT(*) FROM (
  SELECT account_id AS user_id, country, CASE tier WHEN 3 THEN 'premium' ELSE 'free' END AS plan, n
  FROM prod.core.users_v2 WHERE device = 'ALL'
) AS users_v1) < 3 DO
  SELECT 1;
END WHILE;
