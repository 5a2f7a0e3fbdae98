CREATE TABLE core.t WITH (format = 'PARQUET', external_location = 's3://b/x') AS SELECT user_id FROM core.users_v1
