select order_id, status
from {{ source('shop', 'orders_v1') }}
where placed >= '{{ var("start", "2024-01-02") }}' and status <> '{{ var("skip", "void") }}'
