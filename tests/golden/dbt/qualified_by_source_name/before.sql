select orders_v1.order_id, stg_customers.name, orders_v1.status
from {{ source('shop', 'orders_v1') }}
join {{ ref('stg_customers') }} on stg_customers.customer = orders_v1.customer
