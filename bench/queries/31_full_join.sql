SELECT COALESCE(o.customer_id, c.customer_id) AS customer_id, o.order_id, c.name
FROM prod.shop.orders_v1 o
FULL OUTER JOIN prod.shop.customers_v1 c ON o.customer_id = c.customer_id
