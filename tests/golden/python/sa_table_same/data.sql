CREATE SCHEMA core;
CREATE SCHEMA base;
CREATE TABLE base.owners (device_id VARCHAR, user_id VARCHAR, since DATE);
INSERT INTO base.owners VALUES ('d1', 'u1', NULL), ('d2', 'u2', NULL), ('d2', 'u2', NULL);
