SELECT name
FROM buyers
WHERE EXISTS (SELECT 1 FROM orders_v2 WHERE amount = 7 AND name = buyers.name)
