FOR r IN (SELECT account_id AS user_id FROM prod.core.users_v2 WHERE device = 'ALL') DO
  SELECT r.user_id;
END FOR;
WHILE (SELECT COUNT(*) FROM prod.core.users_v2 WHERE device = 'ALL') < 3 DO
  SELECT 1;
END WHILE;
