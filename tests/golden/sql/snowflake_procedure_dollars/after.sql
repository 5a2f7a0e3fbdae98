CREATE OR REPLACE PROCEDURE p() RETURNS STRING LANGUAGE SQL AS
$$
DECLARE
  x NUMBER;
BEGIN
  SELECT COUNT(*) INTO :x FROM core.users_v2 WHERE device = 'ALL';
  INSERT INTO core.o (id) SELECT account_id FROM core.users_v2 WHERE CASE tier WHEN 3 THEN 'premium' ELSE 'free' END = 'free' AND device = 'ALL';
  RETURN x;
END;
$$;
