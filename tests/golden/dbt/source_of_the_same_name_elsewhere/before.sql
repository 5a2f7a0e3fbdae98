select order_id, status
from {{ source('shop', 'orders_v1') }}
