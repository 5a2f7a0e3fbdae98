SELECT a.user_id, a.land, b.plan
FROM users_v1 AS a
JOIN users_v2 AS b ON b.id = a.user_id
WHERE a.paying OR b.kind IS NULL
