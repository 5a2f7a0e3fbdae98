CREATE OR REPLACE FUNCTION f() RETURNS SETOF varchar LANGUAGE plpgsql AS $body$
DECLARE r record; x text;
BEGIN
  FOR r IN SELECT account_id AS user_id FROM core.users_v2 WHERE device = 'ALL' LOOP
    RAISE NOTICE '%', r.user_id;
  END LOOP;
  SELECT country INTO x FROM core.users_v2 WHERE account_id = 'a' AND device = 'ALL';
  IF EXISTS (SELECT 1 FROM core.users_v2 WHERE device = 'ALL') THEN
    RETURN QUERY SELECT account_id AS user_id FROM core.users_v2 WHERE device = 'ALL';
  END IF;
  EXECUTE 'INSERT INTO core.o (id) SELECT account_id FROM core.users_v2 WHERE device = ''ALL''';
END;
$body$;
