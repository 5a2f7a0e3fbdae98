SELECT p.category, SUM(l.price) AS revenue
FROM prod.shop.customers_v1 AS c, prod.shop.orders_v1 AS o, prod.shop.lines AS l, prod.shop.products AS p
WHERE c.customer_id = o.customer_id AND l.order_id = o.order_id AND l.product_id = p.product_id
  AND c.country = 'SE' AND o.placed_on BETWEEN '2024-01-01' AND '2024-12-31'
GROUP BY p.category
ORDER BY revenue DESC
