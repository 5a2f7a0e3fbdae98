SELECT order_id AS key, customer who, amount * 2 AS twice
FROM shop.orders_v1
