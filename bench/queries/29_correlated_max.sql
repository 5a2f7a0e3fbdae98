SELECT o.order_id, o.customer_id
FROM prod.shop.orders_v1 o
WHERE o.total = (SELECT MAX(i.total) FROM prod.shop.orders_v1 i WHERE i.customer_id = o.customer_id)
