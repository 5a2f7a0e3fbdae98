select orders_v1.order_id, stg_customers.name, orders_v1.status
from (
  SELECT id AS order_id, buyer_id AS customer, amount, state AS status, placed
  FROM {{ source('shop', 'orders_v2') }}
  WHERE channel = 'ALL'
) as orders_v1
join {{ ref('stg_customers') }} on stg_customers.customer = orders_v1.customer
