SELECT customer, o.id AS order_id, v.pages
FROM shop.orders_v2 o
RIGHT JOIN shop.visits v ON o.buyer_id = v.customer
WHERE customer > 0
