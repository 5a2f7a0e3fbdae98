SELECT name, refund, amount
FROM shop.orders_v1
JOIN shop.customers ON cust_no = customer
JOIN shop.refunds ON order_no = order_id
