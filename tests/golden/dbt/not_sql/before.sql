select order_id from from {{ ref('orders_v1') }} where where
