SELECT u.id AS user_id, u.name, p.email
FROM accounts u
JOIN profiles AS p ON p.account = u.id
WHERE u.id > 1 AND p.score > 3
