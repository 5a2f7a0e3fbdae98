SELECT b.badge, u.name, p.score
FROM badges b
RIGHT JOIN accounts u ON u.id = b.owner
JOIN profiles AS p ON p.account = u.id
WHERE (u.live OR p.score > 6)
