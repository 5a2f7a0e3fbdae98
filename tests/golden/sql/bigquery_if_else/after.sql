DECLARE i INT64 DEFAULT 0;
IF (SELECT COUNT(*) FROM prod.core.users_v2 WHERE device = 'ALL') > 0 THEN
  INSERT INTO prod.core.out (user_id) SELECT account_id FROM prod.core.users_v2 WHERE device = 'ALL'; -- all of them
ELSE
  SELECT 1;
END IF;
