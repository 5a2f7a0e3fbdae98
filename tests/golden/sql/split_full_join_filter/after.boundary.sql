SELECT b.badge, u.name, u.email
FROM badges b
FULL JOIN (
  SELECT a.id AS user_id, a.name, p.email, COALESCE(p.score, 0) AS score
  FROM accounts AS a
  LEFT JOIN profiles AS p ON p.account = a.id
  WHERE a.live
) u ON u.user_id = b.owner
