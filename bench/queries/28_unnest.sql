SELECT o.order_id, tag
FROM prod.shop.orders_v1 AS o
JOIN prod.shop.labels AS t ON t.order_id = o.order_id
CROSS JOIN UNNEST(t.tags) AS tag
WHERE tag IS NOT NULL AND o.total > 5
