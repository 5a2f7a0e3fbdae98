SELECT o.order_id, r.refund, o.source
FROM orders_v1 AS o
JOIN refunds AS r ON r.order_id = o.order_id
WHERE o.amount > 1 AND o.channel IN (2, 4)
