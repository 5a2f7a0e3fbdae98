select id as order_id, amount, placed
from {{ source('shop', 'orders_v2') }}
where state is not null and channel = 'ALL'
{% if is_incremental() %}
  and placed > (select max(placed) from {{ this }})
{% endif %}
