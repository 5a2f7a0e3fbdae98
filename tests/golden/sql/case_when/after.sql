SELECT CASE WHEN state = 'paid' THEN amount WHEN state IS NULL THEN 0 END AS settled, id BETWEEN 2 AND 4 AS mid
FROM shop.orders_v2
