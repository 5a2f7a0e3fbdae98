CREATE SCHEMA rides;
CREATE TABLE rides.trips_v2 (trip_id BIGINT, first_name VARCHAR, last_name VARCHAR, dt VARCHAR, fare_cents BIGINT, tip_cents BIGINT, meters BIGINT, status VARCHAR);
INSERT INTO rides.trips_v2 VALUES (1, 'Ada', 'Long', '20240101', 100, 10, 999, 'done'), (2, 'Ada', NULL, '20240131', 200, NULL, 1000, 'done'), (3, 'Bo', 'Ek', '20240201', 300, 0, 1001, 'done'), (4, 'Bo', 'Ek', '20240201', 50, 5, 5999, 'void'), (5, NULL, 'Ek', '20231231', 0, 7, 6000, 'done'), (6, 'Cy', 'Ro', NULL, 70, -70, NULL, 'done'), (7, 'Ada', 'Long', '20240101', 90, 30, 2500, NULL), (8, 'Di', 'Fa', '20240115', 80, 40, 2600, 'Done'), (3, 'Bo', 'Ek', '20240201', 300, 0, 1001, 'done'), (9, 'Ada', 'Long', '20240102', 5, 500, 12000, 'done');
CREATE TABLE rides.days (day DATE, holiday BOOLEAN);
INSERT INTO rides.days VALUES ('2024-01-01', TRUE), ('2024-02-01', FALSE), ('2024-01-31', NULL), (NULL, TRUE), ('2024-03-01', TRUE), ('2023-12-31', FALSE);
