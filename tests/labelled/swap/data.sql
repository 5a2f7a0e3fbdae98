CREATE TABLE prices_v2 (sku VARCHAR, net DOUBLE, gross DOUBLE);
INSERT INTO prices_v2 VALUES ('a', 12.0, 10.0), ('b', 8.0, 11.0), ('c', 10.0, 10.0), ('d', NULL, 5.0), ('e', 7.0, NULL),
  ('a', 9.0, 20.0), (NULL, 1.0, 30.0), ('f', 0.0, 0.0), ('g', -1.0, 4.0);
CREATE TABLE stock (sku VARCHAR, qty BIGINT, net DOUBLE);
INSERT INTO stock VALUES ('a', 1, 3.0), ('b', 0, 9.0), ('z', 5, NULL), ('c', 2, 10.0), ('c', 2, 8.0);
