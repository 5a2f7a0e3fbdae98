CREATE TABLE users_v3 (account_id INTEGER, tier INTEGER, kind VARCHAR, geo VARCHAR, device VARCHAR);
INSERT INTO users_v3 VALUES
  (1, 3, 'person', 'se', 'ALL'), (2, 2, NULL, 'no', 'any'), (3, 3, 'bot', 'se', 'ALL'), (4, 1, 'person', NULL, 'ALL'),
  (5, 3, 'person', 'dk', 'ios'), (6, NULL, NULL, 'fi', 'ALL'), (7, 3, NULL, 'se', NULL);
