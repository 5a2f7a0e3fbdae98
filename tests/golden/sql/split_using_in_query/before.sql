SELECT name, badge
FROM users_v1
JOIN (SELECT owner AS user_id, badge FROM badges) AS b USING (user_id)
