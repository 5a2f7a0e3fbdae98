SELECT u.name, (SELECT COUNT(*) FROM badges p WHERE p.owner = u.id AND p.score < p2.score) AS n
FROM accounts u
JOIN profiles AS p2 ON p2.account = u.id
