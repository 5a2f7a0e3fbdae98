SELECT TOP 3 [user_id], [n] FROM [core].[users_v1] WHERE [country] = 'SE' ORDER BY [n]
