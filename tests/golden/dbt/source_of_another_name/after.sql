select id as order_id, state as status
from {{ source('raw', 'orders_now') }}
