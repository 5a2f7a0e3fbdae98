select order_id, status
from {{ source('raw', 'orders') }}
