SELECT name, badge, country
FROM users_v1, (SELECT owner, badge, 'x' AS country FROM badges) AS b
WHERE owner = user_id
