SELECT name, customers_v1.customer_id, order_id, placed_on, total
FROM prod.shop.customers_v1, prod.shop.orders_v1
WHERE order_id IN (SELECT order_id FROM prod.shop.lines GROUP BY order_id HAVING SUM(quantity) > 300)
  AND customers_v1.customer_id = orders_v1.customer_id
ORDER BY total DESC, placed_on
