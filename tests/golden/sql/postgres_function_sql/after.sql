CREATE FUNCTION f(c text) RETURNS SETOF text AS $$
  SELECT account_id AS user_id FROM core.users_v2 WHERE country = c AND device = 'ALL';
$$ LANGUAGE sql;
