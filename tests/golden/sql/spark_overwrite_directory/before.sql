INSERT OVERWRITE DIRECTORY '/tmp/x' USING parquet SELECT user_id FROM core.users_v1
