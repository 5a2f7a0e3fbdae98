SELECT id AS key, buyer_id who, amount * 2 AS twice
FROM shop.orders_v2
