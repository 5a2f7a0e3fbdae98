ATTACH ':memory:' AS prod;
CREATE SCHEMA prod.web;
CREATE TABLE prod.web.events_v2 (id BIGINT, account VARCHAR, event_ts TIMESTAMPTZ, labels VARCHAR[], context STRUCT(page VARCHAR, ref VARCHAR), params STRUCT("key" VARCHAR, "value" VARCHAR)[]);
INSERT INTO prod.web.events_v2 VALUES
  (1, 'a', TIMESTAMPTZ '2024-01-01 10:00:00+00', ['x', 'y'], {'page': '/', 'ref': 'g'}, [{'key': 'k', 'value': '1'}, {'key': 'l', 'value': '2'}]),
  (2, 'b', TIMESTAMPTZ '2024-01-02 10:00:00+00', ['y'], {'page': '/p', 'ref': NULL}, [{'key': 'k', 'value': '3'}]),
  (3, 'a', TIMESTAMPTZ '2024-01-03 10:00:00+00', [], {'page': '/', 'ref': 'h'}, []),
  (4, NULL, NULL, NULL, NULL, NULL);
