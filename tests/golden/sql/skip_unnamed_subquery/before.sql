SELECT name, (SELECT COUNT(*) FROM shop.orders_v1)
FROM shop.customers
