SELECT * FROM shop.customers JOIN shop.orders_v1 USING (customer)
