MERGE INTO shop.refunds AS t
USING (SELECT id AS order_id, amount FROM shop.orders_v2 WHERE state = 'paid' AND channel = 'ALL') AS s
ON t.order_id = s.order_id
WHEN MATCHED THEN UPDATE SET refund = s.amount
WHEN NOT MATCHED THEN INSERT (order_id, refund) VALUES (s.order_id, s.amount);
