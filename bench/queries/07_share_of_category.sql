SELECT 100 * SUM(CASE WHEN p.category LIKE 'promo%' THEN l.price ELSE 0 END) / NULLIF(SUM(l.price), 0) AS share
FROM prod.shop.lines l
JOIN prod.shop.products p ON p.product_id = l.product_id
JOIN prod.shop.orders_v1 o ON o.order_id = l.order_id AND o.status <> 'cancelled'
