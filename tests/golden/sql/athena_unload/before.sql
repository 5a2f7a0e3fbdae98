UNLOAD (SELECT user_id FROM core.users_v1) TO 's3://b/x' WITH (format = 'PARQUET')
