select order_id, {{ late('placed') }} as late
from {{ ref('orders_v1') }}
