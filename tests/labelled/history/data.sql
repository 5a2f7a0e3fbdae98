CREATE TABLE profile_history (uid BIGINT, version BIGINT, email VARCHAR, score BIGINT);
INSERT INTO profile_history VALUES (1, 1, 'A@x', 5), (1, 2, ' a@x ', 7), (2, 1, 'b@x', NULL), (3, 1, NULL, 3), (3, 2, 'C@X', 0), (4, 9, 'd@x', -4), (4, 10, 'D@x', NULL), (5, 1, '', 7), (6, 3, 'a@x', 8), (7, 1, 'gone@x', 9), (7, 2, NULL, 1);
CREATE TABLE mail (email VARCHAR, opened BIGINT);
INSERT INTO mail VALUES ('a@x', 1), ('b@x', 0), ('A@x', 4), (NULL, 2), ('zz', 3), ('', 6);
