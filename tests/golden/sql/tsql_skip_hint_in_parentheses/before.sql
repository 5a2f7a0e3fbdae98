SELECT user_id FROM core.users_v1 (NOLOCK)
