select order_id, status
from {{ source('shop', var('orders_table')) }} as o
