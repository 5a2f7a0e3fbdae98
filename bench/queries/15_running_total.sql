SELECT
  customer_id,
  placed_on,
  SUM(total) OVER (PARTITION BY customer_id ORDER BY placed_on ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS so_far
FROM prod.shop.orders_v1
