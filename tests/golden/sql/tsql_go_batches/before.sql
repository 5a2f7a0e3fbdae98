USE db
GO
SELECT user_id FROM core.users_v1
GO
SELECT n FROM core.users_v1
GO
