INSERT OVERWRITE DIRECTORY '/tmp/x' USING parquet SELECT account_id AS user_id FROM core.users_v2 WHERE device = 'ALL'
