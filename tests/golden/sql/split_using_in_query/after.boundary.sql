SELECT name, badge
FROM (
  SELECT a.id AS user_id, a.name, p.email, p.score
  FROM accounts AS a
  JOIN profiles AS p ON p.account = a.id
) AS users_v1
JOIN (SELECT owner AS user_id, badge FROM badges) AS b USING (user_id)
