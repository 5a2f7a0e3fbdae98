SELECT id FROM orders WHERE plan IN (SELECT DISTINCT CASE tier WHEN 3 THEN 'premium' ELSE 'free' END AS plan FROM users_v2 ORDER BY plan LIMIT 1);
SELECT id FROM orders WHERE plan = (SELECT CASE tier WHEN 3 THEN 'premium' ELSE 'free' END AS plan FROM users_v2 GROUP BY CASE tier WHEN 3 THEN 'premium' ELSE 'free' END ORDER BY plan DESC LIMIT 1);
INSERT INTO orders (plan) SELECT DISTINCT CASE tier WHEN 3 THEN 'premium' ELSE 'free' END AS plan FROM users_v2 ORDER BY plan;
INSERT INTO orders (id) SELECT account AS id FROM users_v2 UNION SELECT 7 ORDER BY id;
