CREATE TABLE shop.report (order_id INTEGER, status VARCHAR);
INSERT INTO shop.report (order_id, status)
SELECT id, state
FROM shop.orders_v2
WHERE placed >= DATE '2024-01-02' AND channel = 'ALL';
