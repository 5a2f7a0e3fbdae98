SELECT b.badge, u.name
FROM badges b
LEFT JOIN (
  SELECT a.id AS user_id, a.name, p.email, p.score
  FROM accounts AS a
  JOIN profiles AS p ON p.account = a.id
) u ON u.user_id = b.owner
