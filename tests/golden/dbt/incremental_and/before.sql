select order_id, amount, placed
from {{ source('shop', 'orders_v1') }}
where status is not null
{% if is_incremental() %}
  and placed > (select max(placed) from {{ this }})
{% endif %}
