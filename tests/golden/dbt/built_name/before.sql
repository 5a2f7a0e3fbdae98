select order_id, status
from {{ source('shop', 'orders_' ~ 'v1') }}
