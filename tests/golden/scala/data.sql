ATTACH ':memory:' AS prod;
CREATE SCHEMA prod.core;
CREATE TABLE prod.core.users_v2 (account_id VARCHAR, geo STRUCT(country VARCHAR), tier BIGINT, score BIGINT, device VARCHAR);
INSERT INTO prod.core.users_v2 VALUES
  ('u1', {'country': 'SE'}, 3, 2, 'ALL'), ('u1', {'country': 'SE'}, 3, 2, 'ios'), ('u2', {'country': 'NO'}, 1, 5, 'ALL'),
  ('u3', {'country': 'SE'}, NULL, NULL, 'ALL'), ('u4', NULL, 3, 1, 'ALL'), ('u5', {'country': 'DK'}, 1, 9, 'web');
CREATE TABLE prod.core.visits (user_id VARCHAR, pages BIGINT);
INSERT INTO prod.core.visits VALUES ('u1', 3), ('u1', 4), ('u2', 1), ('u9', 7);
ATTACH ':memory:' AS other;
CREATE SCHEMA other.core;
CREATE TABLE other.t (a BIGINT);
