SELECT (SELECT MAX(orders.id) FROM orders WHERE orders.plan = u.plan) AS last FROM (SELECT account AS id, CASE tier WHEN 3 THEN 'premium' ELSE 'free' END AS plan FROM users_v2) AS u GROUP BY u.plan;
