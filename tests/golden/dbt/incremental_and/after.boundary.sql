select order_id, amount, placed
from (
  SELECT id AS order_id, buyer_id AS customer, amount, state AS status, placed
  FROM {{ source('shop', 'orders_v2') }}
  WHERE channel = 'ALL'
) as orders_v1
where status is not null
{% if is_incremental() %}
  and placed > (select max(placed) from {{ this }})
{% endif %}
