SELECT b.badge, a.name
FROM badges b
JOIN profiles u ON u.score > b.score
JOIN accounts AS a ON u.account = a.id
