SELECT CASE code WHEN 1 THEN 'open' WHEN 2 THEN 'paid' END AS status, COUNT(*) AS n
FROM shop.orders_v2
GROUP BY 1
ORDER BY n DESC, status
