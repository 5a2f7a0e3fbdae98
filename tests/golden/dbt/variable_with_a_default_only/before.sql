select order_id, status
from {{ source('shop', var('other', 'orders_v1')) }}
