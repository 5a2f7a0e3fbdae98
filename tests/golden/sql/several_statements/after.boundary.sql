-- first
CREATE TABLE shop.a AS SELECT order_id FROM (SELECT id AS order_id, buyer_id AS customer, amount, state AS status, placed FROM shop.orders_v2) AS orders_v1;

-- second: has nothing to do with it
CREATE TABLE shop.b AS SELECT order_id, refund AS status FROM shop.refunds;
/* third */ INSERT INTO shop.a SELECT customer FROM (SELECT id AS order_id, buyer_id AS customer, amount, state AS status, placed FROM shop.orders_v2) AS orders_v1 WHERE status = 'paid';
SELECT COUNT(*) AS n FROM shop.a
