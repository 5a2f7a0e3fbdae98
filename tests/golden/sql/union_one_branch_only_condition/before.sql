SELECT o.order_id, o.channel, o.source
FROM orders_v1 AS o
WHERE o.channel = 'app'
ORDER BY o.order_id
