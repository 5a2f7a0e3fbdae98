SELECT id AS order_id FROM shop.orders_v2
EXCEPT
SELECT order_id FROM shop.refunds
INTERSECT
SELECT id FROM shop.orders_v2
