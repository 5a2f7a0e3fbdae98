SELECT name, COUNT(*) AS n
FROM accounts
WHERE id > 1
GROUP BY name
