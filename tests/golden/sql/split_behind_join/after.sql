SELECT b.badge, u.name, p.email
FROM badges b
JOIN accounts u ON u.id = b.owner AND u.name <> 'x'
JOIN profiles AS p ON p.account = u.id
WHERE b.score < 9
