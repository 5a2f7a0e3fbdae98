SELECT TOP 3 account_id AS [user_id], n FROM [core].[users_v2] WHERE country = 'SE' AND device = 'ALL' ORDER BY [n]
