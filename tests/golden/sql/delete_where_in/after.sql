DELETE FROM shop.refunds WHERE order_id IN (SELECT id FROM shop.orders_v2 WHERE amount < 5);
