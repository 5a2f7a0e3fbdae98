SELECT a.order_id AS first_order, b.order_id AS next_order, DATE_DIFF(b.placed_on, a.placed_on, DAY) AS days
FROM prod.shop.orders_v1 a
JOIN prod.shop.orders_v1 b ON a.customer_id = b.customer_id AND a.placed_on < b.placed_on
