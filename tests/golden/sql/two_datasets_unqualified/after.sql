SELECT orders_v2.id AS order_id, name
FROM shop.orders_v2, shop.buyers
WHERE orders_v2.buyer_id = buyers.id AND state = 'paid' AND shop.buyers.region = 'TX'
