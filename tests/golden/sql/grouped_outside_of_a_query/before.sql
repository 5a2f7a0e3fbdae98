SELECT (SELECT MAX(orders.id) FROM orders WHERE orders.plan = u.plan) AS last FROM users_v1 AS u GROUP BY u.plan;
