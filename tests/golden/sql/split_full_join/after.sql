SELECT b.badge, u.name, p.score
FROM badges b
FULL JOIN accounts u ON u.id = b.owner
LEFT JOIN profiles AS p ON p.account = u.id
