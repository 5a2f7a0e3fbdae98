select order_id from {{ ref('orders_v1') }} {{ sample() }}
