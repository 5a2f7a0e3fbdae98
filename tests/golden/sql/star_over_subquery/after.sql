SELECT *
FROM (SELECT id AS order_id, amount FROM shop.orders_v2) AS t
WHERE t.order_id > 2
