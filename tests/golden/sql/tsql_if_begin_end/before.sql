DECLARE @c INT = (SELECT COUNT(*) FROM core.users_v1);
IF @c > 0
BEGIN
  INSERT INTO core.o (id) SELECT user_id FROM core.users_v1
END
ELSE
  SELECT 1
