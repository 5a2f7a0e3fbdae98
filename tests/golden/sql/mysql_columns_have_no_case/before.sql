SELECT USER_ID AS u FROM core.users_v1 WHERE `Country` = 'SE'
