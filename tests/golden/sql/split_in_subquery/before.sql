SELECT badge FROM badges b WHERE EXISTS (SELECT 1 FROM users_v1 WHERE user_id = owner AND users_v1.score > b.score)
