CREATE FUNCTION f(c text) RETURNS SETOF text AS $$
  SELECT user_id FROM core.users_v1 WHERE country = c;
$$ LANGUAGE sql;
