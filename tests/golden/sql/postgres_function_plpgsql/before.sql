CREATE OR REPLACE FUNCTION f() RETURNS SETOF varchar LANGUAGE plpgsql AS $body$
DECLARE r record; x text;
BEGIN
  FOR r IN SELECT user_id FROM core.users_v1 LOOP
    RAISE NOTICE '%', r.user_id;
  END LOOP;
  SELECT country INTO x FROM core.users_v1 WHERE user_id = 'a';
  IF EXISTS (SELECT 1 FROM core.users_v1) THEN
    RETURN QUERY SELECT user_id FROM core.users_v1;
  END IF;
  EXECUTE 'INSERT INTO core.o (id) SELECT user_id FROM core.users_v1';
END;
$body$;
