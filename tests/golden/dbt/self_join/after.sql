select a.id as order_id, b.id as later
from {{ ref('orders_v2') }} as a
join {{ ref('orders_v2') }} as b
  on a.buyer_id = b.buyer_id and a.placed < b.placed
where a.state = 'open'
