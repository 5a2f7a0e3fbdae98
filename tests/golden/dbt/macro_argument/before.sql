select {{ dbt_utils.star(ref('orders_v1')) }}
from {{ ref('orders_v1') }}
