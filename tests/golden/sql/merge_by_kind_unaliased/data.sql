CREATE TABLE orders_v2 (id INTEGER, amount INTEGER, kind VARCHAR);
INSERT INTO orders_v2 VALUES (1, 5, 'web'), (1, 6, 'app'), (2, 7, 'web'), (3, NULL, 'app'), (4, 8, NULL);
