SELECT u.account_id AS user_id FROM core.users_v2 u WHERE u.device = 'ALL' FOR UPDATE OF u
