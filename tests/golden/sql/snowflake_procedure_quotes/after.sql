CREATE OR REPLACE PROCEDURE p() RETURNS STRING LANGUAGE SQL AS
'
BEGIN
  INSERT INTO core.o (id) SELECT account_id FROM core.users_v2 WHERE country = ''SE'' AND device = ''ALL'';
END;
';
