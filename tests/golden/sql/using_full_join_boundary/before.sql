SELECT customer, v.pages
FROM shop.orders_v1 o
FULL JOIN shop.visits v USING (customer)
