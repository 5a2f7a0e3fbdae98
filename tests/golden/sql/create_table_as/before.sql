CREATE OR REPLACE TABLE shop.report AS
SELECT order_id, status
FROM shop.orders_v1
WHERE amount > 2
;
