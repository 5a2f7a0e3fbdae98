SELECT [n FOR n IN [1, 2] IF n > 1] AS l, n AS m FROM core.users_v1
