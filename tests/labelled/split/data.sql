CREATE TABLE persons (id BIGINT, full_name VARCHAR);
INSERT INTO persons VALUES (1, 'Ada'), (2, 'Bo'), (3, NULL), (4, 'Cy'), (5, 'Ada'), (0, 'Zero');
CREATE TABLE addresses (person_id BIGINT, street VARCHAR, zip VARCHAR);
INSERT INTO addresses VALUES (1, 'Elm', '100'), (2, NULL, '200'), (4, 'elm', '100'), (7, 'Oak', '700'), (0, 'Oak', NULL);
CREATE TABLE visits (person BIGINT, day DATE);
INSERT INTO visits VALUES (1, '2024-01-01'), (1, '2024-01-01'), (3, '2024-01-02'), (7, '2024-01-03'), (NULL, '2024-01-04'), (4, NULL);
