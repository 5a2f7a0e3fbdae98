select order_id, status
from (
  SELECT id AS order_id, buyer_id AS customer, amount, state AS status, placed
  FROM {{ source('shop', 'orders_v2') }}
  WHERE channel = 'ALL'
) as o
where o.amount > 1
{{ more_filters() }}
