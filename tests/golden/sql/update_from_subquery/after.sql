UPDATE shop.refunds SET refund = 0
WHERE order_id IN (SELECT id FROM shop.orders_v2 WHERE state = 'paid');
