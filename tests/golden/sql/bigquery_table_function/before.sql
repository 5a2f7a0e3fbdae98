CREATE OR REPLACE TABLE FUNCTION prod.core.f(c STRING) AS
SELECT user_id FROM prod.core.users_v1 WHERE country = c;
