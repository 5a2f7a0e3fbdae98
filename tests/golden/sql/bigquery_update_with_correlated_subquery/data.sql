ATTACH ':memory:' AS prod;
CREATE SCHEMA prod.core;
CREATE TABLE prod.core.users_v2 (account_id VARCHAR, country VARCHAR, tier BIGINT, device VARCHAR, n BIGINT);
INSERT INTO prod.core.users_v2 VALUES
  ('a', 'SE', 3, 'ALL', 1), ('b', 'NO', 1, 'ALL', 2), ('c', 'SE', NULL, 'ALL', NULL), ('a', 'SE', 3, 'web', 9),
  ('d', NULL, 2, 'ALL', 4), ('e', 'DK,FI', 3, 'ALL', 5), (NULL, 'SE', 3, 'ALL', 6), ('b', 'NO', 3, NULL, 7);
CREATE TABLE prod.core.o (id VARCHAR, p VARCHAR);
INSERT INTO prod.core.o VALUES ('a', NULL), ('b', 'x'), ('z', 'y'), (NULL, 'w');
