CREATE SCHEMA core;
CREATE TABLE core.orders_v2 (order_id INTEGER, net INTEGER, tax INTEGER, region VARCHAR);
INSERT INTO core.orders_v2 VALUES (1, 10, 1, 'eu'), (2, 20, 2, 'us'), (3, NULL, 3, 'eu');
