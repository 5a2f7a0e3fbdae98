CREATE TABLE users_v2 (account INTEGER, tier INTEGER);
INSERT INTO users_v2 VALUES (1, 3), (2, 1), (3, NULL), (4, 3);
CREATE TABLE orders (id INTEGER, plan VARCHAR);
INSERT INTO orders VALUES (1, 'free'), (2, 'premium'), (3, NULL);
