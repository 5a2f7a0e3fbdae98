CREATE PROCEDURE dbo.p @x INT AS
BEGIN
  SET NOCOUNT ON;
  SELECT account_id AS user_id FROM core.users_v2 WHERE n = @x AND device = 'ALL'
  DELETE FROM core.o WHERE id IN (SELECT account_id FROM core.users_v2 WHERE device = 'ALL')
END
GO
