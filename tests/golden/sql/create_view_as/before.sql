CREATE OR REPLACE VIEW shop.open_orders AS
SELECT order_id, amount FROM shop.orders_v1 WHERE status = 'open';
SELECT * FROM shop.open_orders;
