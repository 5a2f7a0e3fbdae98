select account_id as user_id
from prod.core.users_v2 u
where u.tier  =  3   -- the paying ones
  and tier in ( 3 )  /* again */
  and CASE tier WHEN 3 THEN 'premium' ELSE 'free' END /* not the others */ = 'premium'
  and device = 'ALL'
