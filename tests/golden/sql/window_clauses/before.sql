SELECT order_id,
       ROW_NUMBER() OVER (PARTITION BY customer ORDER BY order_id DESC) AS nth,
       SUM(amount) OVER w AS running
FROM shop.orders_v1
WINDOW w AS (PARTITION BY status ORDER BY order_id)
