SELECT order_id
FROM shop.orders_v1
WHERE status = 'paid' -- only paid
