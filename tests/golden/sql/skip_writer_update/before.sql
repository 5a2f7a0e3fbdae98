UPDATE shop.orders_v1 SET status = 'void' WHERE amount < 0;
