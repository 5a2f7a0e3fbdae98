CREATE SCHEMA logs;
CREATE TABLE logs.web_events (user_id VARCHAR, ts TIMESTAMP, amount BIGINT, bot BOOLEAN);
INSERT INTO logs.web_events VALUES ('u1', '2024-01-01 00:00:00', 5, FALSE), ('u1', '2024-01-01 00:00:00', 5, FALSE), ('u2', '2024-01-02 10:00:00', 7, TRUE), ('u3', '2024-01-03 12:00:00', NULL, FALSE), (NULL, '2024-01-04 00:00:00', 1, FALSE), ('u4', NULL, 0, NULL), ('u7', '2024-01-05 01:00:00', 9, FALSE);
CREATE TABLE logs.app_events (device_id VARCHAR, seen_at TIMESTAMP, value BIGINT);
INSERT INTO logs.app_events VALUES ('u1', '2024-01-01 00:00:00', 5), ('d1', '2024-01-02 00:00:00', 8), ('d2', NULL, NULL), ('u3', '2024-01-03 12:00:00', -1), ('d1', '2024-01-02 00:00:00', 8);
CREATE TABLE logs.users (uid VARCHAR, name VARCHAR);
INSERT INTO logs.users VALUES ('u1', 'Ada'), ('d1', 'Dev'), ('u9', 'Nobody'), (NULL, 'Null'), ('u3', NULL);
