EXEC sp_executesql N'SELECT user_id FROM core.users_v1 WHERE n = @n', N'@n INT', @n = 1
