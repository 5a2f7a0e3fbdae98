CREATE OR REPLACE TABLE shop.report AS
SELECT id AS order_id, state AS status
FROM shop.orders_v2
WHERE amount > 2 AND channel = 'ALL'
;
