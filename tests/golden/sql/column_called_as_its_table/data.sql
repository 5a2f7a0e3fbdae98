ATTACH ':memory:' AS prod;
CREATE SCHEMA prod.app;
CREATE TABLE prod.app.metrics (client_id VARCHAR, metrics STRUCT(uuid VARCHAR, visits BIGINT), uuid VARCHAR);
INSERT INTO prod.app.metrics VALUES
  ('a', {'uuid': 'x', 'visits': 1}, 'not it'),
  ('a', {'uuid': 'x', 'visits': 2}, NULL),
  ('b', {'uuid': NULL, 'visits': 3}, 'not it'),
  (NULL, {'uuid': 'y', 'visits': NULL}, 'y');
