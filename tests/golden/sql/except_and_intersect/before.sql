SELECT order_id FROM shop.orders_v1
EXCEPT
SELECT order_id FROM shop.refunds
INTERSECT
SELECT order_id FROM shop.orders_v1
