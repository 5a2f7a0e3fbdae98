{{ config(materialized='view') }}
select order_id, status
from (
  SELECT id AS order_id, buyer_id AS customer, amount, state AS status, placed FROM shop.orders_v2
) as orders_v1
left join {{ ref('stg_refunds') }} using (order_id)
where refund is null
