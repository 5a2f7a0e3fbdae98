CREATE OR REPLACE PROCEDURE prod.core.p(IN x INT64)
BEGIN
  CREATE TEMP TABLE t AS SELECT account_id AS user_id FROM prod.core.users_v2 WHERE n > x AND device = 'ALL';
  SELECT * FROM t;
END;
