SELECT a.account_id AS user_id, upper(a.geo || '') AS land, CASE b.tier WHEN 3 THEN 'premium' WHEN 2 THEN 'basic' END AS plan
FROM users_v3 AS a
JOIN users_v3 AS b ON b.account_id = a.account_id
WHERE (a.tier = 3 OR b.kind IS NULL) AND (a.device = 'ALL' OR a.device = 'any') AND (a.kind = 'person' OR a.kind IS NULL) AND (b.device = 'ALL' OR b.device = 'any')
