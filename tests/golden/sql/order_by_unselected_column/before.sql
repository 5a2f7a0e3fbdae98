SELECT amount
FROM shop.orders_v1
ORDER BY order_id DESC
