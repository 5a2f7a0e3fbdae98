SELECT (SELECT COUNT(*) FROM shop.orders_v2 WHERE channel = 'ALL') AS "(SELECT count_star() FROM shop.orders_v1)", 1 + (SELECT MAX(amount) FROM shop.orders_v2 WHERE channel = 'ALL') AS top;
