SELECT customer_id, order_id, total
FROM prod.shop.orders_v1
WHERE status IN ('open', 'shipped')
QUALIFY ROW_NUMBER() OVER (PARTITION BY customer_id ORDER BY placed_on DESC, order_id) = 1
