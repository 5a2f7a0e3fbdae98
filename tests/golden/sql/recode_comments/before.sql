select user_id
from prod.core.users_v1 u
where u.plan  =  'premium'   -- the paying ones
  and plan in ( 'premium' )  /* again */
  and plan /* not the others */ = 'premium'
