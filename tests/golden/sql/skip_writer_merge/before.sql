MERGE INTO shop.orders_v1 AS t USING shop.refunds AS s ON t.order_id = s.order_id WHEN MATCHED THEN DELETE;
