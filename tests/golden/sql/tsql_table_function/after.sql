CREATE FUNCTION dbo.f(@x INT) RETURNS TABLE AS RETURN (SELECT account_id AS user_id FROM core.users_v2 WHERE n = @x AND device = 'ALL')
