SELECT account_id AS u FROM core.users_v2 WHERE country = 'SE' AND device = 'ALL'
