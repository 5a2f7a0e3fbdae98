{{ config(materialized='incremental', unique_key='order_id') }}
select order_id, amount, placed
from (
  SELECT id AS order_id, buyer_id AS customer, amount, state AS status, placed
  FROM {{ source('shop', 'orders_v2') }}
  WHERE channel = 'ALL'
) as orders_v1
{% if is_incremental() %}
where status is not null and placed > (select max(placed) from {{ this }})
{% endif %}
