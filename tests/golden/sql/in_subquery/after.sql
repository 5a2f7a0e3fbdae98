SELECT name FROM shop.customers
WHERE customer IN (SELECT buyer_id FROM shop.orders_v2 WHERE state = 'open' AND channel = 'ALL')
