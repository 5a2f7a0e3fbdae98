SELECT id, buyer_id
FROM shop.orders_v1
WHERE id = 10
