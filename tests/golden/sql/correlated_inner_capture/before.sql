SELECT name
FROM buyers
WHERE EXISTS (SELECT 1 FROM orders_v1 WHERE total = 7 AND label = buyers.name)
