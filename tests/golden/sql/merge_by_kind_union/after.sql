SELECT amount FROM orders_v2 WHERE kind = 'web'
UNION ALL
SELECT orders_v2.amount FROM orders_v2 WHERE kind = 'app'
