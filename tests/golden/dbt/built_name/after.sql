select id as order_id, state as status
from {{ source('shop', 'orders_v2') }}
