SELECT id FROM orders WHERE plan IN (SELECT DISTINCT plan FROM users_v1 ORDER BY plan LIMIT 1);
SELECT id FROM orders WHERE plan = (SELECT plan FROM users_v1 GROUP BY plan ORDER BY plan DESC LIMIT 1);
INSERT INTO orders (plan) SELECT DISTINCT plan FROM users_v1 ORDER BY plan;
INSERT INTO orders (id) SELECT id FROM users_v1 UNION SELECT 7 ORDER BY id;
