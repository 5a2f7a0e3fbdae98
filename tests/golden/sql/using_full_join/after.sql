SELECT o.buyer_id AS customer, v.customer AS visitor, v.pages
FROM shop.orders_v2 o
FULL JOIN shop.visits v ON o.buyer_id = v.customer
