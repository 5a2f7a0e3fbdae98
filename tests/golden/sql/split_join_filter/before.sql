select name, count(*) as n
from users_v1
where email is not null or score > 1
group by name
