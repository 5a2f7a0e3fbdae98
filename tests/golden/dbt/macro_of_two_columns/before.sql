select {{ both('customer', 'order_id') }} as k
from {{ ref('orders_v1') }}
