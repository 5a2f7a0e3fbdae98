CREATE OR REPLACE VIEW shop.open_orders AS
SELECT id AS order_id, amount FROM shop.orders_v2 WHERE state = 'open';
SELECT * FROM shop.open_orders;
