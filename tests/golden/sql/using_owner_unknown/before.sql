SELECT customer, r.refund, o.amount
FROM shop.customers c
JOIN shop.refunds r ON r.refund < 2
JOIN shop.orders_v1 o USING (customer)
