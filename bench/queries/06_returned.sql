WITH returned AS (
  SELECT order_id, SUM(price) AS lost FROM prod.shop.lines WHERE flag = 'R' GROUP BY order_id
)
SELECT c.customer_id, c.name, c.country, SUM(r.lost) AS lost
FROM prod.shop.customers_v1 c
INNER JOIN prod.shop.orders_v1 o USING (customer_id)
INNER JOIN returned r ON r.order_id = o.order_id
GROUP BY 1, 2, 3
HAVING SUM(r.lost) > 0
ORDER BY lost DESC
