SELECT badge FROM badges b WHERE EXISTS (SELECT 1 FROM accounts AS a JOIN profiles AS p ON p.account = a.id WHERE a.id = owner AND p.score > b.score)
