UPDATE prod.core.o SET p = (SELECT MAX(CASE tier WHEN 3 THEN 'premium' ELSE 'free' END) FROM prod.core.users_v2 WHERE account_id = id AND device = 'ALL') WHERE TRUE
