select id as order_id, cast(placed as {{ dbt.type_timestamp() }}) as placed_at, state::{{ dbt.type_string() }} as status
from {{ source('shop', 'orders_v2') }}
where channel = 'ALL'
