SELECT order_id -- key
FROM shop.orders_v1
ORDER BY order_id
