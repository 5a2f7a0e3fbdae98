SELECT DISTINCT ON (country) country, account_id AS user_id FROM core.users_v2 WHERE device = 'ALL' ORDER BY country, n DESC
