SELECT a.name
FROM accounts AS a
LEFT JOIN profiles AS p ON p.account = a.id
