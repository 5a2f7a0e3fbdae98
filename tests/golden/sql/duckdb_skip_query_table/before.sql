SELECT user_id FROM query_table('core.users_v1')
