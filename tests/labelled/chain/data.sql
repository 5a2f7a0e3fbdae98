CREATE TABLE books_v3 (book_id BIGINT, author_name VARCHAR, genre_code VARCHAR, cents BIGINT, draft BOOLEAN);
INSERT INTO books_v3 VALUES (1, 'Ann', 'F', 1000, FALSE), (2, 'ann', 'N', 999, FALSE), (3, 'Bob', 'n', 1001, FALSE), (4, 'Bob', NULL, NULL, FALSE), (5, 'Cid', 'F', 5000, TRUE), (6, NULL, 'F', 100, FALSE), (7, 'Dee', 'N', 2500, NULL), (8, 'BOB', 'F', 99, FALSE), (9, 'Eve', 'X', 2000, FALSE), (10, 'Eve', 'N', 1950, FALSE);
CREATE TABLE loans (book BIGINT, reader VARCHAR);
INSERT INTO loans VALUES (1, 'r1'), (1, 'r2'), (2, 'r1'), (5, 'r3'), (77, 'r4'), (NULL, 'r5'), (9, NULL);
