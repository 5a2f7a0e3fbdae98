DECLARE @c INT = (SELECT COUNT(*) FROM core.users_v2 WHERE device = 'ALL');
IF @c > 0
BEGIN
  INSERT INTO core.o (id) SELECT account_id FROM core.users_v2 WHERE device = 'ALL'
END
ELSE
  SELECT 1
