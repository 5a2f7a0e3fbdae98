SELECT user_id FROM `prod.core.users_*` WHERE _TABLE_SUFFIX = 'v1'
