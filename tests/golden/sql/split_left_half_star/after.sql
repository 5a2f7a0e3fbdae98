SELECT a.id AS user_id, a.name, p.email, p.score
FROM accounts AS a
LEFT JOIN profiles AS p ON p.account = a.id
