select order_id from {{ ref('orders_' ~ var('version')) }}
