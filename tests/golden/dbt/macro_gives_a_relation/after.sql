select id as order_id, state as status
from {{ ref('orders_v2') }}
