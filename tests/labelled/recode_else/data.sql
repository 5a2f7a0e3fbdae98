CREATE SCHEMA crm;
CREATE TABLE crm.accounts_v2 (id VARCHAR, tier INTEGER, state_code INTEGER, seats INTEGER);
INSERT INTO crm.accounts_v2 VALUES ('a', 30, 1, 5), ('b', 29, 2, 3), ('c', 20, 3, 0), ('d', 19, 1, NULL), ('e', 10, NULL, 8),
  ('f', 9, 1, 1), ('g', NULL, 2, 2), ('h', 31, 2, 9), ('i', -1, 4, -2), ('j', 21, 1, 5), ('k', 11, 0, 5);
CREATE TABLE crm.invoices (account VARCHAR, amount INTEGER, month INTEGER);
INSERT INTO crm.invoices VALUES ('a', 10, 1), ('a', 20, 2), ('b', 5, 1), ('g', 7, 1), ('zz', 9, 2), (NULL, 1, 1), ('c', NULL, 2), ('i', 4, 3), ('e', 4, 3);
