SELECT [x FOR x IN [account_id, country] IF x <> CASE tier WHEN 3 THEN 'premium' ELSE 'free' END] AS l FROM core.users_v2 WHERE device = 'ALL'
