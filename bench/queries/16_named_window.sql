SELECT order_id, RANK() OVER by_day AS place, LAG(total) OVER by_day AS before
FROM prod.shop.orders_v1
WINDOW by_day AS (PARTITION BY placed_on ORDER BY total DESC)
