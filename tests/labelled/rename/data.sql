CREATE SCHEMA sales;
CREATE TABLE sales.orders_v2 (order_id BIGINT, customer_id BIGINT, o_status VARCHAR, amount DOUBLE, o_date DATE, comment VARCHAR);
INSERT INTO sales.orders_v2 VALUES
  (1, 10, 'F', 100.0, DATE '1993-07-01', 'special requests'), (2, 10, 'O', 250.5, DATE '1993-08-15', 'plain'),
  (3, 11, 'F', 100.0, DATE '1993-10-01', NULL), (4, 12, 'P', -5.25, DATE '1993-09-30', ''),
  (5, NULL, 'f', 0.0, DATE '1992-12-31', 'Plain'), (6, 13, NULL, 75.0, NULL, 'plain '),
  (7, 11, 'F', NULL, DATE '1994-01-01', 'plain'), (7, 11, 'F', NULL, DATE '1994-01-01', 'plain'), (11, 3, 'O', 99.5, DATE '1993-07-01', NULL), (14, 12, 'P', 12.0, DATE '1992-08-01', 'late');
CREATE TABLE customer (c_custkey BIGINT, c_name VARCHAR);
INSERT INTO customer VALUES (10, 'Ada'), (11, 'Bo'), (12, NULL), (99, 'Zed'), (NULL, 'Nil');
CREATE TABLE report (k BIGINT, c BIGINT, total DOUBLE);
INSERT INTO report VALUES (1, 10, 1.0), (12, 10, 2.0), (4, 1, 3.0);
