CREATE TABLE web_orders (id INTEGER, total INTEGER, url VARCHAR, test BOOLEAN);
CREATE TABLE app_orders (order_no INTEGER, amount INTEGER, device VARCHAR);
INSERT INTO web_orders VALUES (1, 10, '/a', false), (2, 20, '/b', true), (3, NULL, NULL, false), (4, 5, '/a', false), (4, 5, '/a', NULL);
INSERT INTO app_orders VALUES (1, 7, 'ios'), (5, 8, 'android'), (6, NULL, 'pos'), (NULL, 1, NULL);
CREATE TABLE refunds (order_id INTEGER, refund INTEGER);
INSERT INTO refunds VALUES (1, 2), (4, 3), (5, 1), (9, 9);
