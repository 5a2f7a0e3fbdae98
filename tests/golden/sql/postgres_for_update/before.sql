SELECT u.user_id FROM core.users_v1 u FOR UPDATE OF u
