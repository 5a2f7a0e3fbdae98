CREATE SCHEMA stats;
CREATE TABLE stats.hourly (day DATE, hour BIGINT, country VARCHAR, visits BIGINT, revenue BIGINT);
INSERT INTO stats.hourly VALUES ('2024-01-01', 0, 'SE', 5, 10), ('2024-01-01', 1, 'SE', 5, 20), ('2024-01-01', 0, 'NO', 10, NULL), ('2024-01-02', 0, 'SE', 0, 0), ('2024-01-02', 5, 'NO', NULL, 7), ('2024-01-02', 6, 'NO', 3, -7), ('2024-01-31', 23, 'DK', 11, 4), ('2024-02-01', 0, 'DK', 1, 1), ('2024-02-01', 0, 'SE', 4, 2), ('2024-02-01', 1, 'SE', 4, 3), ('2024-02-02', 1, NULL, 2, 2);
CREATE TABLE stats.targets (country STRING, goal BIGINT);
INSERT INTO stats.targets VALUES ('SE', 9), ('NO', 10), ('FI', 1), (NULL, 3);
