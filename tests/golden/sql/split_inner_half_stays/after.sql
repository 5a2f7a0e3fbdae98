SELECT a.name
FROM accounts AS a
JOIN profiles AS p ON p.account = a.id
