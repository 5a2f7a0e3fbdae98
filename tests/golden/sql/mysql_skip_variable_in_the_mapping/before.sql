CREATE PROCEDURE p(tier INT)
BEGIN
  SELECT user_id FROM core.users_v1 WHERE n = tier;
END
