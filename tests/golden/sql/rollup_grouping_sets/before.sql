SELECT status, customer, SUM(amount) AS total
FROM shop.orders_v1
GROUP BY ROLLUP (status, customer)
