CREATE TABLE orders_v2 (id INTEGER, amount INTEGER, name VARCHAR);
INSERT INTO orders_v2 VALUES (1, 5, 'x'), (2, 7, 'y'), (3, 7, 'x'), (4, NULL, NULL);
CREATE TABLE buyers (id INTEGER, order_id INTEGER, name VARCHAR);
INSERT INTO buyers VALUES (3, 1, 'Ada'), (1, 2, 'x'), (9, 3, NULL);
