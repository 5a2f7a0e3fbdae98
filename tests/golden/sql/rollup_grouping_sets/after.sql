SELECT state AS status, buyer_id AS customer, SUM(amount) AS total
FROM shop.orders_v2
GROUP BY ROLLUP (state, buyer_id)
