SELECT order_id
FROM shop.orders_v1
WHERE status = 'open' OR amount > 6
