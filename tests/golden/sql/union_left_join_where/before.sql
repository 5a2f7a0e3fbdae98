SELECT r.refund, o.amount
FROM refunds r
LEFT JOIN orders_v1 o ON o.order_id = r.order_id
WHERE o.channel = 'web'
