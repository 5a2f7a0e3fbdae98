CREATE SCHEMA shop;
CREATE TABLE shop.orders_v2 (id INTEGER, buyer_id INTEGER, cents INTEGER, state VARCHAR);
INSERT INTO shop.orders_v2 VALUES (1, 10, 500, 'open'), (2, 10, 750, 'paid'), (3, 11, 125, NULL);
