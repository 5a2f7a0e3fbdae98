SELECT id AS order_id, AMOUNT
FROM SHOP.orders_v2 AS O
WHERE o.state = 'paid'
