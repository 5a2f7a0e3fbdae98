CREATE OR REPLACE PROCEDURE p() AS $$
BEGIN
  INSERT INTO core.o (id) SELECT account_id FROM core.users_v2 WHERE device = 'ALL';
END;
$$ LANGUAGE plpgsql;
