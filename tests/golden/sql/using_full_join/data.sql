CREATE SCHEMA shop;
CREATE TABLE shop.orders_v2 (id INTEGER, buyer_id INTEGER, amount DECIMAL(10,2), state VARCHAR, placed DATE, channel VARCHAR);
INSERT INTO shop.orders_v2 VALUES
  (1, 10, 5.00, 'open', DATE '2024-01-01', 'ALL'), (2, 10, 7.50, 'paid', DATE '2024-01-02', 'ALL'),
  (3, 11, 1.25, 'paid', DATE '2024-01-03', 'ALL'), (4, 12, 9.00, NULL, DATE '2024-01-04', 'ALL'),
  (5, NULL, 2.00, 'open', DATE '2024-01-05', 'ALL'), (6, 13, 4.00, 'paid', DATE '2024-01-06', NULL),
  (7, 10, 5.50, 'open', DATE '2024-01-01', 'web'), (8, 14, 8.00, 'void', NULL, 'web');
CREATE TABLE shop.customers (customer INTEGER, name VARCHAR, state VARCHAR);
INSERT INTO shop.customers VALUES (10, 'Ada', 'NY'), (11, 'Bo', 'TX'), (12, 'Cy', 'NY'), (14, 'Di', 'open'), (15, 'Ed', NULL);
CREATE TABLE shop.refunds (order_id INTEGER, refund DECIMAL(10,2));
INSERT INTO shop.refunds VALUES (2, 1.00), (3, 0.25), (3, 0.50), (8, 3.00), (9, 9.00);
CREATE TABLE shop.visits (customer INTEGER, state VARCHAR, pages INTEGER);
INSERT INTO shop.visits VALUES (10, 'open', 3), (10, 'paid', 1), (12, NULL, 7), (16, 'open', 2);
