SELECT COUNT(*) AS n, COUNT(DISTINCT customer) AS customers
FROM shop.orders_v1
