SELECT *
FROM (SELECT order_id, amount FROM shop.orders_v1) AS t
WHERE t.order_id > 2
