SELECT status, customer, SUM(amount) AS total
FROM shop.orders_v1
GROUP BY 1, 2
ORDER BY 3 DESC, 1, 2
