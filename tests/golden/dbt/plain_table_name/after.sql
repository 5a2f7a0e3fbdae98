{{ config(materialized='view') }}
select orders_v1.id as order_id, orders_v1.state as status
from shop.orders_v2 as orders_v1
left join {{ ref('stg_refunds') }} on orders_v1.id = stg_refunds.order_id
where refund is null
