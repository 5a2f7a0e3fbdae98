CREATE TABLE shop.report (order_id INTEGER, status VARCHAR);
INSERT INTO shop.report (order_id, status)
SELECT order_id, status
FROM shop.orders_v1
WHERE placed >= DATE '2024-01-02';
