SELECT id AS order_id
FROM shop.orders_v2
WHERE state = 'paid' AND (channel = 'ALL' OR channel IS NULL)
