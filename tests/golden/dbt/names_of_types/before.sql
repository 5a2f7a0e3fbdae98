select order_id, cast(placed as {{ dbt.type_timestamp() }}) as placed_at, status::{{ dbt.type_string() }} as status
from {{ source('shop', 'orders_v1') }}
