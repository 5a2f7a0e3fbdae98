FOR r IN (SELECT user_id FROM prod.core.users_v1) DO
  SELECT r.user_id;
END FOR;
WHILE (SELECT COUNT(*) FROM prod.core.users_v1) < 3 DO
  SELECT 1;
END WHILE;
