SELECT channel, APPROX_COUNT_DISTINCT(customer_id) AS customers, COUNT(DISTINCT order_id) AS orders
FROM prod.shop.orders_v1
GROUP BY ROLLUP (channel)
