SELECT id::text AS key, COUNT(*) FILTER (WHERE state = 'paid') AS paid
FROM shop.orders_v2
WHERE channel = 'ALL'
GROUP BY 1
