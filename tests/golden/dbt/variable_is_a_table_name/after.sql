select id as order_id, state as status
from shop.orders_v2
where placed >= '{{ var('start') }}'
