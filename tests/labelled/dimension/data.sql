CREATE SCHEMA core; CREATE SCHEMA x;
CREATE TABLE core.users_v2 (account_id VARCHAR, geo STRUCT(country VARCHAR, city VARCHAR), tier BIGINT, years BIGINT, device VARCHAR);
INSERT INTO core.users_v2 VALUES
  ('u1', {'country': 'SE', 'city': 'Lund'}, 3, 18, 'ALL'), ('u1', {'country': 'SE', 'city': 'Lund'}, 3, 18, 'web'),
  ('u2', {'country': 'SE', 'city': NULL}, 1, 17, 'ALL'), ('u3', {'country': 'NO', 'city': 'SE'}, 2, 40, 'ALL'),
  ('u4', {'country': NULL, 'city': 'Oslo'}, NULL, 19, 'ALL'), ('u5', NULL, 3, NULL, 'ALL'), ('u6', {'country': 'NO', 'city': 'Oslo'}, 3, 65, NULL),
  ('u7', {'country': 'NO', 'city': 'NO'}, 3, 65, 'all'), (NULL, {'country': 'DK', 'city': 'Lund'}, 4, 30, 'ALL'), ('u8', {'country': 'DK', 'city': 'Ribe'}, 3, 0, 'ALL'), ('u9', {'country': 'FI', 'city': 'Turku'}, 3, 22, 'web');
CREATE TABLE x.events (uid VARCHAR, v BIGINT, kind VARCHAR);
INSERT INTO x.events VALUES ('u1', 1, 'open'), ('u1', 1, 'open'), ('u2', 2, 'shut'), ('u3', NULL, 'open'), ('u9', 4, 'open'), (NULL, 5, 'open'), ('zz', 6, NULL), ('u6', 7, 'shut');
CREATE TABLE x.target (uid VARCHAR, age BIGINT, plan VARCHAR);
INSERT INTO x.target VALUES ('u1', 1, 'free'), ('u9', 2, 'premium'), ('gone', 3, NULL);
