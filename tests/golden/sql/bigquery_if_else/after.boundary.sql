DECLARE i INT64 DEFAULT 0;
IF (SELECT COUNT(*) FROM (
  SELECT account_id AS user_id, country, CASE tier WHEN 3 THEN 'premium' ELSE 'free' END AS plan, n
  FROM prod.core.users_v2 WHERE device = 'ALL'
) AS users_v1) > 0 THEN
  INSERT INTO prod.core.out (user_id) SELECT user_id FROM (
    SELECT account_id AS user_id, country, CASE tier WHEN 3 THEN 'premium' ELSE 'free' END AS plan, n
    FROM prod.core.users_v2 WHERE device = 'ALL'
  ) AS users_v1; -- all of them
ELSE
  SELECT 1;
END IF;
