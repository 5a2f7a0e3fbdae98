SELECT p.name, a.badge
FROM accounts p
JOIN profiles AS p2 ON p2.account = p.id
JOIN badges a ON a.owner = p.id
