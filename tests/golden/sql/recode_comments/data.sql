ATTACH ':memory:' AS prod;
CREATE SCHEMA prod.core;
CREATE TABLE prod.core.users_v2 (account_id VARCHAR, geo STRUCT(country VARCHAR, city VARCHAR), tier BIGINT, created_on DATE, device VARCHAR);
INSERT INTO prod.core.users_v2 VALUES
  ('u1', {'country': 'SE', 'city': 'x'}, 3, DATE '2024-01-01', 'ALL'), ('u1', {'country': 'SE', 'city': 'x'}, 3, DATE '2024-01-01', 'ios'),
  ('u2', {'country': 'NO', 'city': 'y'}, 1, DATE '2024-01-02', 'ALL'), ('u3', {'country': 'SE', 'city': NULL}, NULL, DATE '2024-01-03', 'ALL'),
  ('u4', NULL, 3, NULL, 'ALL'), ('u5', {'country': 'DK', 'city': 'z'}, 3, DATE '2024-01-05', 'web');
CREATE TABLE prod.core.visits (user_id VARCHAR, day DATE, pages BIGINT, country VARCHAR);
INSERT INTO prod.core.visits VALUES
  ('u1', DATE '2024-02-01', 3, 'SE'), ('u1', DATE '2024-02-02', 4, 'NO'), ('u2', DATE '2024-02-01', 1, 'NO'), ('u5', DATE '2024-02-01', 9, 'DK'), ('u9', DATE '2024-02-03', 7, NULL);
