CREATE SCHEMA shop;
CREATE TABLE shop.catalog (sku TEXT, title TEXT, brand_id INTEGER);
INSERT INTO shop.catalog VALUES ('a', 'Apple', 1), ('b', 'Bread', 1), ('c', 'Cake', 2), ('d', NULL, 3), ('e', 'Egg', NULL), ('f', 'Fig', 9);
CREATE TABLE shop.prices (sku TEXT, price NUMERIC(10,2), current BOOLEAN);
INSERT INTO shop.prices VALUES ('a', 1.00, TRUE), ('a', 0.50, FALSE), ('b', 2.00, TRUE), ('b', 2.00, TRUE), ('c', NULL, TRUE), ('d', 4.00, TRUE), ('e', 5.00, TRUE), ('f', 6.00, TRUE), ('c', 3.00, NULL), ('z', 9.00, TRUE), ('d', 0.00, TRUE);
CREATE TABLE shop.brands (brand_id INTEGER, brand_name TEXT);
INSERT INTO shop.brands VALUES (1, 'Acme'), (2, 'Bestco'), (3, NULL), (4, 'Unused');
CREATE TABLE shop.sales (sku TEXT, qty INTEGER);
INSERT INTO shop.sales VALUES ('a', 3), ('b', 1), ('b', 4), ('e', 2), ('q', 8), ('d', NULL), (NULL, 1);
