CREATE TABLE web_orders (id INTEGER, total INTEGER, url VARCHAR, test BOOLEAN);
CREATE TABLE app_orders (order_no INTEGER, amount INTEGER, device VARCHAR);
INSERT INTO web_orders VALUES (1, 10, '/a', false), (2, 20, '/b', true), (3, NULL, NULL, false), (4, 5, '/a', false), (4, 5, '/a', NULL);
INSERT INTO app_orders VALUES (1, 7, 'ios'), (5, 8, 'android'), (6, NULL, 'pos'), (NULL, 1, NULL);
CREATE TABLE refunds (order_id INTEGER, refund INTEGER);
INSERT INTO refunds VALUES (1, 2), (4, 3), (5, 1), (9, 9);
CREATE TABLE accounts (id INTEGER, name VARCHAR, country VARCHAR, live BOOLEAN);
CREATE TABLE profiles (account INTEGER, email VARCHAR, score INTEGER);
INSERT INTO accounts VALUES (1, 'Ada', 'SE', true), (2, 'Bo', 'NO', false), (3, 'Cy', NULL, true), (4, NULL, 'SE', true), (NULL, 'Di', 'SE', true);
INSERT INTO profiles VALUES (1, 'a@example.org', 5), (2, NULL, 7), (3, 'c@example.org', NULL), (5, 'e@example.org', 1);
CREATE TABLE badges (owner INTEGER, badge VARCHAR, score INTEGER);
INSERT INTO badges VALUES (1, 'gold', 3), (1, 'tin', 1), (2, 'tin', 9), (4, 'gold', 2), (6, 'lead', 4), (NULL, 'wood', 0);
CREATE TABLE visits_v2 (day DATE, country VARCHAR, device VARCHAR, n INTEGER, secs DOUBLE, first_seen TIMESTAMP, live BOOLEAN);
INSERT INTO visits_v2 VALUES
  (DATE '2024-01-01', 'se', 'ios', 3, 1.5, TIMESTAMP '2024-01-01 08:00:00', true), (DATE '2024-01-01', 'se', 'web', 4, 2.5, TIMESTAMP '2024-01-01 07:00:00', true),
  (DATE '2024-01-01', 'no', 'ios', 5, NULL, NULL, true), (DATE '2024-01-02', 'se', 'ios', 1, 1.0, TIMESTAMP '2024-01-02 08:00:00', true),
  (DATE '2024-01-02', NULL, 'web', NULL, 0.5, NULL, true), (DATE '2024-01-02', 'no', 'web', 9, 1.0, TIMESTAMP '2024-01-02 09:00:00', false),
  (DATE '2024-01-03', 'dk', 'web', 2, 1.0, TIMESTAMP '2024-01-03 09:00:00', true), (NULL, 'dk', 'ios', 6, 1.0, NULL, true);
CREATE TABLE lands (code VARCHAR, region VARCHAR, people INTEGER);
INSERT INTO lands VALUES ('SE', 'north', 10), ('NO', 'north', 5), ('DK', 'west', 6), ('FI', 'north', 6), ('SE', 'all', 1);
