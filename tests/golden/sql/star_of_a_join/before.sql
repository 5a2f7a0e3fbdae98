SELECT *
FROM shop.orders_v1 AS o
JOIN shop.refunds AS r ON r.order_id = o.order_id
