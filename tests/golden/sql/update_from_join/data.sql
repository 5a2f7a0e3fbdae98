CREATE SCHEMA core;
CREATE TABLE core.tags_v2 (tag_id INTEGER, tag VARCHAR, name VARCHAR);
INSERT INTO core.tags_v2 VALUES (1, 'x', 'n'), (2, 'y', 'n'), (2, 'z', NULL), (9, 'x', 'm');
CREATE TABLE z (id INTEGER, tag VARCHAR);
INSERT INTO z VALUES (1, 'a'), (9, 'b'), (5, 'c');
CREATE TABLE y (id INTEGER);
INSERT INTO y VALUES (1), (9);
