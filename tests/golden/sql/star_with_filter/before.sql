SELECT *
FROM shop.orders_v1
