SELECT
  customer_id,
  SUM(IF(channel = 'web', total, 0)) AS web,
  SUM(IF(channel = 'store', total, 0)) AS store,
  SUM(IF(channel = 'phone', total, 0)) AS phone
FROM prod.shop.orders_v1
WHERE EXTRACT(YEAR FROM placed_on) = 2024
GROUP BY customer_id
