CREATE SCHEMA shop;
CREATE TABLE shop.sales (id BIGINT, buyer BIGINT);
INSERT INTO shop.sales VALUES (1, 10), (2, NULL), (3, 30);
CREATE TABLE people (number BIGINT, name VARCHAR);
INSERT INTO people VALUES (10, 'a'), (20, 'b'), (30, 'c'), (NULL, 'd');
