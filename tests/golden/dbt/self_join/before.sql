select a.order_id, b.order_id as later
from {{ ref('orders_v1') }} as a
join {{ ref('orders_v1') }} as b
  on a.customer = b.customer and a.placed < b.placed
where a.status = 'open'
