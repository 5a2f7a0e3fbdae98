CREATE TABLE events_v2 (id INTEGER, geo STRUCT(place STRUCT(city VARCHAR, zip VARCHAR)), labels VARCHAR[], props JSON, attrs MAP(VARCHAR, DOUBLE));
INSERT INTO events_v2 VALUES
  (1, {'place': {'city': 'Oslo', 'zip': '1'}}, ['a', 'b'], '{"plan": "pro", "n": 3}', MAP {'size': 1.5}),
  (2, {'place': {'city': NULL, 'zip': '2'}}, [], '{"plan": null}', MAP {'other': 2.0}), (3, NULL, NULL, NULL, NULL),
  (4, {'place': {'city': 'Bergen', 'zip': '4'}}, ['b'], '{"plan": "pro", "n": 5}', MAP {'size': 0.5});
CREATE TABLE plans (plan VARCHAR, price INTEGER);
INSERT INTO plans VALUES ('pro', 10), ('free', 0);
