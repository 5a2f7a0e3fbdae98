SELECT name FROM shop.customers
WHERE customer NOT IN (SELECT customer FROM shop.orders_v1 WHERE customer IS NOT NULL)
