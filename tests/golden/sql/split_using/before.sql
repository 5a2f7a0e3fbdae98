SELECT u.*, b.badge
FROM users_v1 AS u  -- every user
JOIN badges AS b ON b.owner = u.user_id
