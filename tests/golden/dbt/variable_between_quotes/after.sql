select id as order_id, state as status
from {{ source('shop', 'orders_v2') }}
where placed >= '{{ var("start", "2024-01-02") }}' and state <> '{{ var("skip", "void") }}'
