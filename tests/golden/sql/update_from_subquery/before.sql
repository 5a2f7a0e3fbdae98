UPDATE shop.refunds SET refund = 0
WHERE order_id IN (SELECT order_id FROM shop.orders_v1 WHERE status = 'paid');
