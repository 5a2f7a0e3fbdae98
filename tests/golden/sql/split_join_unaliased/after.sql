SELECT a.name, p.email FROM accounts AS a JOIN profiles AS p ON p.account = a.id WHERE a.id >= 1 ORDER BY name
