select orders_v1.id as order_id, stg_customers.name, orders_v1.state as status
from {{ source('shop', 'orders_v2') }} as orders_v1
join {{ ref('stg_customers') }} on stg_customers.customer = orders_v1.buyer_id
where orders_v1.channel = 'ALL'
