UNLOAD ('SELECT user_id, plan FROM core.users_v1 WHERE country = ''SE''') TO 's3://b/x' IAM_ROLE 'arn' FORMAT AS PARQUET
