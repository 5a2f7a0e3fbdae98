EXEC sp_executesql N'SELECT account_id AS user_id FROM core.users_v2 WHERE n = @n AND device = ''ALL''', N'@n INT', @n = 1
