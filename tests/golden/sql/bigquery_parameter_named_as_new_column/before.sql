CREATE TABLE FUNCTION prod.core.f(tier INT64) AS
SELECT user_id FROM prod.core.users_v1 WHERE n = tier;
