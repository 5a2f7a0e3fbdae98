select order_id, status
from {{ the_orders() }}
