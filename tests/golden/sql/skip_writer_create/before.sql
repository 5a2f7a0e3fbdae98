CREATE OR REPLACE TABLE shop.orders_v1 AS SELECT order_id, refund AS amount FROM shop.refunds;
