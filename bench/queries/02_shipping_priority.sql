SELECT o.order_id, SUM(l.price * (1 - l.discount)) AS revenue, o.placed_on
FROM prod.shop.customers_v1 c
JOIN prod.shop.orders_v1 o ON c.customer_id = o.customer_id
JOIN prod.shop.lines l ON l.order_id = o.order_id
WHERE c.segment = 'home' AND o.placed_on < DATE '2024-03-15' AND l.shipped_on > DATE '2024-03-15'
GROUP BY o.order_id, o.placed_on
ORDER BY revenue DESC, o.placed_on
LIMIT 10
