select {{ dbt_utils.star(from=ref('orders_v1'), except=['placed', 'amount'], relation_alias='o') }}
from {{ ref('orders_v1') }} as o
