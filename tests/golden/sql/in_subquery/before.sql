SELECT name FROM shop.customers
WHERE customer IN (SELECT customer FROM shop.orders_v1 WHERE status = 'open')
