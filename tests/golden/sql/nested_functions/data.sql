CREATE SCHEMA shop;
CREATE TABLE shop.orders_v2 (id INTEGER, buyer_id INTEGER, cents INTEGER, code INTEGER, placed_at TIMESTAMP);
INSERT INTO shop.orders_v2 VALUES
  (1, 10, 500, 1, TIMESTAMP '2024-01-01 10:00:00'), (2, 10, 750, 2, TIMESTAMP '2024-01-02 11:30:00'),
  (3, 11, 125, 2, TIMESTAMP '2024-01-03 00:00:00'), (4, 12, 900, 3, TIMESTAMP '2024-01-04 23:59:59'),
  (5, NULL, 200, 1, NULL), (6, 13, NULL, NULL, TIMESTAMP '2024-02-01 08:00:00');
CREATE TABLE shop.customers (customer INTEGER, name VARCHAR, state VARCHAR);
INSERT INTO shop.customers VALUES (10, 'Ada', 'NY'), (11, 'Bo', 'TX'), (12, 'Cy', 'NY'), (14, 'Di', 'open');
