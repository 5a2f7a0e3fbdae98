CREATE TABLE people (person INTEGER, name VARCHAR);
CREATE TABLE contacts (person INTEGER, email VARCHAR);
INSERT INTO people VALUES (1, 'Ada'), (2, 'Bo'), (3, 'Cy');
INSERT INTO contacts VALUES (1, 'a@example.org'), (2, NULL), (3, 'c@example.org');
CREATE TABLE badges (person INTEGER, badge VARCHAR);
INSERT INTO badges VALUES (1, 'gold'), (4, 'tin');
