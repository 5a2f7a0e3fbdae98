SELECT amount
FROM shop.orders_v2
ORDER BY id DESC
