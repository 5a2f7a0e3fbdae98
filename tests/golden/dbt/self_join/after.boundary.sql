select a.order_id, b.order_id as later
from (
  SELECT id AS order_id, buyer_id AS customer, amount, state AS status, placed FROM {{ ref('orders_v2') }}
) as a
join (
  SELECT id AS order_id, buyer_id AS customer, amount, state AS status, placed
  FROM {{ ref('orders_v2') }}
) as b
  on a.customer = b.customer and a.placed < b.placed
where a.status = 'open'
