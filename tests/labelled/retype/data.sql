CREATE TABLE visits_v2 (visitor VARCHAR, started TIMESTAMP, millis BIGINT, page VARCHAR);
INSERT INTO visits_v2 VALUES ('1', '2024-01-05 00:00:00', 999, '/a'), ('10', '2024-01-05 23:59:59', 1000, '/b'), ('9', '2024-01-06 00:00:00', 1001, '/a'),
  ('2', '2024-01-04 12:00:00', 59999, NULL), ('007', '2024-01-05 12:00:00', 60000, '/a/b'), (NULL, '2024-01-06 10:30:00', NULL, ''), ('7', NULL, 1999, '/a'), ('7', '2024-01-05 12:00:00', 60001, '/A');
CREATE TABLE people (id BIGINT, name VARCHAR);
INSERT INTO people VALUES (1, 'Ada'), (7, 'Bo'), (10, NULL), (77, 'No');
