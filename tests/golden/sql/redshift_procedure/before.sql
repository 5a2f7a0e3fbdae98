CREATE OR REPLACE PROCEDURE p() AS $$
BEGIN
  INSERT INTO core.o (id) SELECT user_id FROM core.users_v1;
END;
$$ LANGUAGE plpgsql;
