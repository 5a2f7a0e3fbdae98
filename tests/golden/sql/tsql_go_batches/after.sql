USE db
GO
SELECT account_id AS user_id FROM core.users_v2 WHERE device = 'ALL'
GO
SELECT n FROM core.users_v2 WHERE device = 'ALL'
GO
