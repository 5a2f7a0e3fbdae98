CREATE SCHEMA support;
CREATE TABLE support.tickets_v2 (ticket_id BIGINT, status_code INTEGER, urgent BOOLEAN, opened DATE);
INSERT INTO support.tickets_v2 VALUES (1, 1, TRUE, '2024-01-01'), (2, 2, FALSE, '2024-01-01'), (3, 3, NULL, '2024-01-31'), (4, 4, TRUE, '2024-02-01'),
  (5, NULL, FALSE, '2024-02-29'), (6, 2, TRUE, NULL), (7, 3, TRUE, '2023-12-31'), (7, 3, TRUE, '2023-12-31'), (8, 0, FALSE, '2024-03-01'), (9, 1, FALSE, '2024-01-15');
CREATE TABLE support.agents (ticket_id BIGINT, agent TEXT, status TEXT);
INSERT INTO support.agents VALUES (1, 'ada', 'new'), (2, 'bo', 'done'), (4, 'ada', NULL), (5, NULL, 'new'), (99, 'cy', 'open'), (7, 'bo', 'done'), (6, 'ada', 'open');
