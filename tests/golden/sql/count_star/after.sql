SELECT COUNT(*) AS n, COUNT(DISTINCT buyer_id) AS customers
FROM shop.orders_v2
WHERE channel = 'ALL'
