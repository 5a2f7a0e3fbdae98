-- first
CREATE TABLE shop.a AS SELECT id AS order_id FROM shop.orders_v2;

-- second: has nothing to do with it
CREATE TABLE shop.b AS SELECT order_id, refund AS status FROM shop.refunds;
/* third */ INSERT INTO shop.a SELECT buyer_id FROM shop.orders_v2 WHERE state = 'paid';
SELECT COUNT(*) AS n FROM shop.a
