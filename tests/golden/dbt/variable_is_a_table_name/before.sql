select order_id, status
from {{ var('physical') }}
where placed >= '{{ var('start') }}'
