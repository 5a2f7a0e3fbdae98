DROP TABLE shop.orders_v1;
