select order_id, cast(placed as {{ dbt.type_timestamp() }}) as placed_at, status::{{ dbt.type_string() }} as status
from (
  SELECT id AS order_id, buyer_id AS customer, amount, state AS status, placed
  FROM {{ source('shop', 'orders_v2') }}
  WHERE channel = 'ALL'
) as orders_v1
