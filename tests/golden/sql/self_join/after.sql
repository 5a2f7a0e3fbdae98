SELECT a.id AS order_id, b.id AS other
FROM shop.orders_v2 a
JOIN shop.orders_v2 b ON a.buyer_id = b.buyer_id AND a.id < b.id
