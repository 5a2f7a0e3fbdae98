PREPARE q FROM SELECT account_id AS user_id FROM core.users_v2 WHERE country = ? AND device = 'ALL'
