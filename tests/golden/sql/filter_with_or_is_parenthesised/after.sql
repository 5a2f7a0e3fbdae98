SELECT id AS order_id
FROM shop.orders_v2
WHERE (state = 'open' OR amount > 6) AND channel = 'ALL'
