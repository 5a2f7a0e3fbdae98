BEGIN
  DECLARE x INT DEFAULT 0;
  SET x = (SELECT count(*) FROM core.users_v1);
  IF x > 1 THEN SELECT user_id FROM core.users_v1; END IF;
END
