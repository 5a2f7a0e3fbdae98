CREATE SCHEMA app;
CREATE TABLE app.signups_v2 (user_id INTEGER, payload JSON, deleted_at TIMESTAMP);
INSERT INTO app.signups_v2 VALUES (1, '{"ref": "ad", "age": 30, "client": {"device": "ios"}}', NULL), (2, '{"ref": "Ad", "age": "9", "client": {"device": "web"}}', NULL), (3, '{"age": 100, "client": {}}', NULL),
  (4, '{"ref": null, "age": 18, "client": {"device": "ios"}, "device": "tv"}', NULL), (5, '{"ref": "ad", "age": 17, "client": {"device": "ios"}}', '2024-01-01'), (6, NULL, NULL), (7, '{"ref": "", "age": null, "client": {"device": "ad"}}', NULL), (1, '{"ref": "ad", "age": 30, "client": {"device": "ios"}}', NULL), (8, '{"ref": "friend", "age": 20, "client": {"device": "web"}}', NULL);
CREATE TABLE app.campaigns (code TEXT, cost INTEGER);
INSERT INTO app.campaigns VALUES ('ad', 5), ('friend', 0), ('', 1), (NULL, 9), ('none', 7);
