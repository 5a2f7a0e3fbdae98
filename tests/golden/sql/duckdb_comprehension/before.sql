SELECT [x FOR x IN [user_id, country] IF x <> plan] AS l FROM core.users_v1
