INSERT INTO shop.refunds SELECT order_id, amount FROM shop.orders_v1;
DELETE FROM shop.orders_v1 WHERE status = 'void';
