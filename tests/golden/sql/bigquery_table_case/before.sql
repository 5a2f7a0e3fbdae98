SELECT Order_Id FROM shop.orders_v1
