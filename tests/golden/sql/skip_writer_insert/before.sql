INSERT INTO shop.orders_v1 (order_id, amount) SELECT order_id, refund FROM shop.refunds;
