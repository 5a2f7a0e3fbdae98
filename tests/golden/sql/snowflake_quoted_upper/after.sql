SELECT account_id AS "USER_ID", u.n AS N FROM CORE.users_v2 u WHERE u.country = 'SE' AND device = 'ALL'
