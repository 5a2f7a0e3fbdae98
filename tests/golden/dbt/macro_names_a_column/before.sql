select order_id, {{ cents_to_dollars('amount') }} as dollars, status
from {{ source('shop', 'orders_v1') }}
where placed >= '{{ var("start", "2024-01-02") }}'
