SELECT id AS order_id
FROM shop.orders_v2
WHERE amount > (SELECT AVG(r.refund) FROM shop.refunds r WHERE r.order_id = orders_v2.id) AND channel = 'ALL'
