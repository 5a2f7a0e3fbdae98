CREATE TABLE legs_v2 (leg INTEGER, origin VARCHAR, target VARCHAR);
INSERT INTO legs_v2 VALUES (1, 'GOT', 'ARN'), (2, 'ARN', 'CPH'), (3, 'CPH', 'GOT'), (4, NULL, 'OSL');
