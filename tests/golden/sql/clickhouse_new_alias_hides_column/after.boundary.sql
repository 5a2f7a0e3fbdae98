SELECT id, buyer_id
FROM (SELECT buyer_id AS id, id AS buyer_id FROM shop.orders_v2) AS orders_v1
WHERE id = 10
