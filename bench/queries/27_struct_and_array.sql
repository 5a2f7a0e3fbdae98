SELECT customer_id, ARRAY_AGG(STRUCT(order_id, total) ORDER BY placed_on DESC LIMIT 5) AS latest
FROM prod.shop.orders_v1
GROUP BY customer_id
