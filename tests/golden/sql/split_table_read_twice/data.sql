CREATE TABLE accounts (id INTEGER, name VARCHAR, country VARCHAR, live BOOLEAN);
CREATE TABLE profiles (account INTEGER, email VARCHAR, score INTEGER);
INSERT INTO accounts VALUES (1, 'Ada', 'SE', true), (2, 'Bo', 'NO', false), (3, 'Cy', NULL, true), (4, NULL, 'SE', true), (NULL, 'Di', 'SE', true);
INSERT INTO profiles VALUES (1, 'a@example.org', 5), (2, NULL, 7), (3, 'c@example.org', NULL), (5, 'e@example.org', 1);
CREATE TABLE badges (owner INTEGER, badge VARCHAR, score INTEGER);
INSERT INTO badges VALUES (1, 'gold', 3), (1, 'tin', 1), (2, 'tin', 9), (4, 'gold', 2), (6, 'lead', 4), (NULL, 'wood', 0);
