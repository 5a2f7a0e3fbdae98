SELECT country, COUNT(*) AS n
FROM prod.shop.customers_v1
WHERE customer_id IN (SELECT customer_id FROM prod.shop.orders_v1 WHERE channel = 'web')
  AND customer_id NOT IN (SELECT customer_id FROM prod.shop.orders_v1 WHERE channel = 'store' AND customer_id IS NOT NULL)
GROUP BY country
