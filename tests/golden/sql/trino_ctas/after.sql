CREATE TABLE core.t WITH (format = 'PARQUET') AS SELECT account_id AS user_id, country FROM core.users_v2 WHERE device = 'ALL'
