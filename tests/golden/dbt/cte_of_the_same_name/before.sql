with orders_v1 as (
    select * from {{ source('shop', 'orders_v1') }}
),
big as (
    select order_id, {{ cents_to_dollars('amount') }} as euros from orders_v1 where amount > 2
)
select * from big
