BEGIN
  DECLARE x INT DEFAULT 0;
  SET x = (SELECT count(*) FROM core.users_v2 WHERE device = 'ALL');
  IF x > 1 THEN SELECT account_id AS user_id FROM core.users_v2 WHERE device = 'ALL'; END IF;
END
