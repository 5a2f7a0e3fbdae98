{{ config(materialized='incremental', unique_key='order_id') }}
select order_id, amount, placed
from {{ source('shop', 'orders_v1') }}
{% if is_incremental() %}
where status is not null and placed > (select max(placed) from {{ this }})
{% endif %}
