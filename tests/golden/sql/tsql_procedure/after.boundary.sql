CREATE PROCEDURE dbo.p @x INT AS
BEGIN
  SET NOCOUNT ON;
  SELECT user_id FROM (
    SELECT account_id AS user_id, country, CASE tier WHEN 3 THEN 'premium' ELSE 'free' END AS plan, n
    FROM core.users_v2 WHERE device = 'ALL'
  ) AS users_v1 WHERE n = @x
  DELETE FROM core.o WHERE id IN (SELECT user_id FROM (
    SELECT account_id AS user_id, country, CASE tier WHEN 3 THEN 'premium' ELSE 'free' END AS plan, n
    FROM core.users_v2 WHERE device = 'ALL'
  ) AS users_v1)
END
GO
