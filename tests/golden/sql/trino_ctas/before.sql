CREATE TABLE core.t WITH (format = 'PARQUET') AS SELECT user_id, country FROM core.users_v1
