DECLARE
  c CURSOR FOR SELECT user_id FROM core.users_v1;
BEGIN
  OPEN c;
END;
