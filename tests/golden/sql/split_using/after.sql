SELECT u.id AS user_id, u.name, profiles.email, profiles.score, b.badge
FROM accounts AS u  -- every user
JOIN profiles ON u.id = profiles.id
JOIN badges AS b ON b.owner = u.id
