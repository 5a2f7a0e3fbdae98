SELECT id AS Order_Id FROM shop.orders_v2 WHERE channel = 'ALL'
