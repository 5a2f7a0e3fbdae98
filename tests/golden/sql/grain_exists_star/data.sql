CREATE TABLE visits_v2 (day DATE, country VARCHAR, device VARCHAR, n INTEGER, secs DOUBLE, first_seen TIMESTAMP, live BOOLEAN);
INSERT INTO visits_v2 VALUES
  (DATE '2024-01-01', 'se', 'ios', 3, 1.5, TIMESTAMP '2024-01-01 08:00:00', true), (DATE '2024-01-01', 'se', 'web', 4, 2.5, TIMESTAMP '2024-01-01 07:00:00', true),
  (DATE '2024-01-01', 'no', 'ios', 5, NULL, NULL, true), (DATE '2024-01-02', 'se', 'ios', 1, 1.0, TIMESTAMP '2024-01-02 08:00:00', true),
  (DATE '2024-01-02', NULL, 'web', NULL, 0.5, NULL, true), (DATE '2024-01-02', 'no', 'web', 9, 1.0, TIMESTAMP '2024-01-02 09:00:00', false),
  (DATE '2024-01-03', 'dk', 'web', 2, 1.0, TIMESTAMP '2024-01-03 09:00:00', true), (NULL, 'dk', 'ios', 6, 1.0, NULL, true);
CREATE TABLE lands (code VARCHAR, region VARCHAR, people INTEGER);
INSERT INTO lands VALUES ('SE', 'north', 10), ('NO', 'north', 5), ('DK', 'west', 6), ('FI', 'north', 6), ('SE', 'all', 1);
