SELECT state AS status, buyer_id AS customer, SUM(amount) AS total
FROM shop.orders_v2
GROUP BY 1, 2
ORDER BY 3 DESC, 1, 2
