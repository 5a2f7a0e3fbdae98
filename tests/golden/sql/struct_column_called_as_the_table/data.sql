CREATE SCHEMA app;
CREATE TABLE app.metrics_v2 (client_id VARCHAR, metrics STRUCT(pings BIGINT), channel VARCHAR);
INSERT INTO app.metrics_v2 VALUES ('a', {'pings': 1}, 'release'), ('a', {'pings': 4}, 'beta'),
  ('b', {'pings': 2}, 'release'), (NULL, NULL, 'release'), ('b', {'pings': NULL}, 'release');
