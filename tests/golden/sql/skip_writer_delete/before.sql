DELETE FROM shop.orders_v1 WHERE amount < 0;
