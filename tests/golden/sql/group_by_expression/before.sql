SELECT status, COUNT(*) AS n
FROM shop.orders_v1
GROUP BY 1
ORDER BY n DESC, status
