select o.id as order_id, o.buyer_id as customer, o.state as status
from {{ ref('orders_v2') }} as o
