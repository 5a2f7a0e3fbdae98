select order_id, {{ named('status') }}
from {{ ref('orders_v1') }}
