{{ config(materialized='view') }}
select order_id, status
from shop.orders_v1
left join {{ ref('stg_refunds') }} using (order_id)
where refund is null
