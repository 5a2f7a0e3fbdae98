SELECT 'shop.orders_v1' AS source, order_id AS "orders_v1" FROM shop.refunds
