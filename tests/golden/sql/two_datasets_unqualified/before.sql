SELECT order_id, name
FROM shop.orders_v1, shop.customers
WHERE orders_v1.customer = customers.customer AND status = 'paid' AND shop.customers.state = 'TX'
