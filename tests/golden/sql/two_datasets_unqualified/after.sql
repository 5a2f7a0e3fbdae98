SELECT orders_v2.id AS order_id, buyers.name
FROM shop.orders_v2, shop.buyers
WHERE orders_v2.buyer_id = buyers.id AND orders_v2.state = 'paid' AND buyers.region = 'TX'
