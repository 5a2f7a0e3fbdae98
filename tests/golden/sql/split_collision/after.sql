SELECT a.name, badge, b.country
FROM accounts AS a JOIN profiles AS p ON p.account = a.id, (SELECT owner, badge, 'x' AS country FROM badges) AS b
WHERE owner = a.id
