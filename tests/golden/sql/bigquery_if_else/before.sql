DECLARE i INT64 DEFAULT 0;
IF (SELECT COUNT(*) FROM prod.core.users_v1) > 0 THEN
  INSERT INTO prod.core.out (user_id) SELECT user_id FROM prod.core.users_v1; -- all of them
ELSE
  SELECT 1;
END IF;
