ATTACH ':memory:' AS prod;
CREATE SCHEMA prod.core;
CREATE TABLE prod.core.users_v2 (account_id VARCHAR, geo STRUCT(country VARCHAR), tier INTEGER, device VARCHAR);
INSERT INTO prod.core.users_v2 VALUES
  ('u1', {'country': 'SE'}, 3, 'ALL'), ('u2', {'country': 'SE'}, 1, 'ALL'), ('u3', {'country': 'DE'}, 3, 'ALL'),
  ('u4', {'country': NULL}, NULL, 'ALL'), ('u5', NULL, 2, 'ALL'), ('u6', {'country': 'DE'}, 3, 'web'),
  ('u1', {'country': 'SE'}, 3, 'web'), ('u7', {'country': 'FR'}, 1, NULL);
CREATE TABLE prod.core.devices_v2 (device_id VARCHAR, model_name VARCHAR);
INSERT INTO prod.core.devices_v2 VALUES ('d1', 'one'), ('d2', 'two'), ('d3', NULL), ('d4', 'one');
CREATE TABLE prod.core.owners (device_id VARCHAR, user_id VARCHAR);
INSERT INTO prod.core.owners VALUES ('d1', 'u1'), ('d2', 'u2'), ('d3', 'u3'), ('d4', 'u9');
