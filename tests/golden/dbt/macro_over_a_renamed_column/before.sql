select order_id, {{ shout('status') }} as loud
from {{ ref('orders_v1') }}
where {{ shout("status") }} <> 'VOID'
