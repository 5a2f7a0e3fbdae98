DELETE FROM shop.refunds WHERE order_id IN (SELECT order_id FROM shop.orders_v1 WHERE amount < 5);
