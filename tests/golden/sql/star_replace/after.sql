SELECT id AS order_id, buyer_id AS customer, amount * 2 AS amount, state AS status, placed
FROM shop.orders_v2
