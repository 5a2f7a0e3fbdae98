SELECT name FROM shop.orders_v1 NATURAL JOIN shop.customers
