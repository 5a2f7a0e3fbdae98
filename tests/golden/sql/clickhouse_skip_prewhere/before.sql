SELECT user_id AS u FROM core.users_v1 PREWHERE country = 'SE' WHERE n > 1
