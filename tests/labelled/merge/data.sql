CREATE SCHEMA web;
CREATE TABLE web.activity (id INTEGER, user_id VARCHAR, kind VARCHAR, target VARCHAR, duration INTEGER);
INSERT INTO web.activity VALUES (1, 'u1', 'click', '/a', NULL), (2, 'u1', 'view', '/a', 10), (3, 'u2', 'view', '/b', 0), (4, 'u2', 'Click', '/b', 3), (5, NULL, 'click', '/c', 4), (6, 'u3', NULL, '/a', 5),
  (7, 'u3', 'view', NULL, NULL), (8, 'u1', 'click', '/A', 1), (9, 'u1', 'click', '/a', 2), (10, 'u4', 'scroll', '/b', 30), (11, 'u2', 'click', '/b', 7), (12, 'u1', 'view', '/a', 30), (13, 'u5', 'view', '/c', 31);
CREATE TABLE web.people (uid VARCHAR, country VARCHAR);
INSERT INTO web.people VALUES ('u1', 'SE'), ('u2', 'NO'), ('u3', NULL), ('u9', 'SE');
