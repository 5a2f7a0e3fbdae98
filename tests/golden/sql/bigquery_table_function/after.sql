CREATE OR REPLACE TABLE FUNCTION prod.core.f(c STRING) AS
SELECT account_id AS user_id FROM prod.core.users_v2 WHERE country = c AND device = 'ALL';
