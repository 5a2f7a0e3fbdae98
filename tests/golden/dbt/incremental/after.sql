{{ config(materialized='incremental', unique_key='order_id') }}
select id as order_id, amount, placed
from {{ source('shop', 'orders_v2') }}
{% if is_incremental() %}
where state is not null and placed > (select max(placed) from {{ this }})
{% endif %}
