select id as order_id, {{ shout('state') }} as loud
from {{ ref('orders_v2') }}
where {{ shout("state") }} <> 'VOID'
