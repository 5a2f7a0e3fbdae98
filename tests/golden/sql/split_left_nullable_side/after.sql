SELECT b.badge, u.name, p.email
FROM badges b
LEFT JOIN accounts u ON u.id = b.owner
LEFT JOIN profiles AS p ON p.account = u.id
WHERE b.badge <> 'wood'
