CREATE MACRO m(tier) AS TABLE SELECT user_id FROM core.users_v1 WHERE n = tier;
