SELECT a.id AS order_id, b.id AS other
FROM shop.orders_v2 a
JOIN shop.orders_v2 b ON a.buyer_id = b.buyer_id
WHERE a.amount > 1 AND a.channel = 'ALL' AND b.channel = 'ALL'
