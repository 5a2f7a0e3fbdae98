SELECT customer, o.order_id, v.pages
FROM shop.orders_v1 o
RIGHT JOIN shop.visits v USING (customer)
WHERE customer > 0
