SELECT name FROM shop.customers
WHERE customer NOT IN (SELECT buyer_id FROM shop.orders_v2 WHERE buyer_id IS NOT NULL AND channel = 'ALL')
