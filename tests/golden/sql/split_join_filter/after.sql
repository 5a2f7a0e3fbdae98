select a.name, count(*) as n
from accounts as a
join profiles as p on p.account = a.id
where (p.email is not null or p.score > 1) and (a.live OR p.score > 6)
group by a.name
