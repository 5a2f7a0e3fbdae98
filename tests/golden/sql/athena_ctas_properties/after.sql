CREATE TABLE core.t WITH (format = 'PARQUET', external_location = 's3://b/x') AS SELECT account_id AS user_id FROM core.users_v2 WHERE device = 'ALL'
