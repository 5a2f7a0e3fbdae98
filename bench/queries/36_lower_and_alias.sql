SELECT LOWER(status) AS status, COUNT(*) AS n
FROM prod.shop.orders_v1
WHERE status IS NOT NULL
GROUP BY status
HAVING n > 1
ORDER BY n
