CREATE SCHEMA crm;
CREATE TABLE crm.parties (party_id BIGINT, party_name VARCHAR, vip BOOLEAN, role VARCHAR);
INSERT INTO crm.parties VALUES (1, 'Acme', TRUE, 'customer'), (2, 'Bolt', FALSE, 'customer'), (3, NULL, NULL, 'customer'), (1, 'Acme', TRUE, 'vendor'), (4, 'Dune', TRUE, 'Customer'), (5, 'Echo', FALSE, NULL), (6, 'acme', TRUE, 'customer'), (2, 'Bolt', FALSE, 'customer');
CREATE TABLE crm.opportunities (deal_id BIGINT, party_id BIGINT, value VARCHAR, stage VARCHAR, archived BOOLEAN);
INSERT INTO crm.opportunities VALUES (1, 1, '100', 'Won', FALSE), (2, 1, '9', 'won', FALSE), (3, 2, '50', 'LOST', FALSE), (4, 2, NULL, 'Won', FALSE), (5, 3, '70', NULL, FALSE), (6, 9, '80', 'won', FALSE), (7, 1, '60', 'won', TRUE), (8, 6, '100', 'open', NULL), (9, 6, '0', 'open', FALSE), (10, NULL, '5', 'won', FALSE);
CREATE TABLE crm.notes (cust BIGINT, note VARCHAR);
INSERT INTO crm.notes VALUES (1, 'hi'), (3, 'yo'), (8, 'no'), (NULL, 'x');
