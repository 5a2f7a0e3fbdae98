select {{ both('buyer_id', 'id') }} as k
from {{ ref('orders_v2') }}
