SELECT order_count, COUNT(*) AS customers
FROM (
  SELECT c.customer_id, COUNT(o.order_id) AS order_count
  FROM prod.shop.customers_v1 c
  LEFT OUTER JOIN prod.shop.orders_v1 o ON c.customer_id = o.customer_id AND o.channel NOT LIKE '%test%'
  GROUP BY c.customer_id
) AS counted
GROUP BY order_count
ORDER BY customers DESC, order_count DESC
