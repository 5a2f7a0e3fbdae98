select order_id, status
from {{ source('shop', 'orders_v1') }} as o
where o.amount > 1
{{ more_filters() }}
