select order_id, status
from {{ var('orders_relation') }}
