SELECT p.name, a.badge
FROM users_v1 p
JOIN badges a ON a.owner = p.user_id
