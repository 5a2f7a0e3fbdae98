SELECT * REPLACE (amount * 2 AS amount)
FROM shop.orders_v1
