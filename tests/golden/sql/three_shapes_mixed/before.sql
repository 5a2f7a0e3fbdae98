SELECT o.order_id, u.email, v.visits
FROM orders_v1 o
JOIN users_v1 u ON u.user_id = o.order_id
LEFT JOIN visits_v1 v ON v.day = DATE '2024-01-01'
WHERE o.channel = 'app' AND v.visits > 1
