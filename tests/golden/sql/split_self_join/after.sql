SELECT x.name, y.name AS other
FROM accounts x
JOIN profiles AS p ON p.account = x.id
JOIN accounts y ON x.id < y.id
JOIN profiles AS p2 ON p2.account = y.id
