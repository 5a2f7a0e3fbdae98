SELECT (SELECT COUNT(*) FROM shop.orders_v1), 1 + (SELECT MAX(amount) FROM shop.orders_v1) AS top;
