CREATE PROCEDURE dbo.p @x INT AS
BEGIN
  SET NOCOUNT ON;
  SELECT user_id FROM core.users_v1 WHERE n = @x
  DELETE FROM core.o WHERE id IN (SELECT user_id FROM core.users_v1)
END
GO
