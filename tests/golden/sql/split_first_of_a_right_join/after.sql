SELECT b.badge, u.name, p.score
FROM accounts u
JOIN profiles AS p ON p.account = u.id
RIGHT JOIN badges b ON u.id = b.owner AND (u.live OR p.score > 6)
