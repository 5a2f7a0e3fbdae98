SELECT order_id, status FROM shop.orders_v10 WHERE note = 'shop.orders_v1'
