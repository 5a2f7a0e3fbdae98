with orders_v1 as (
    select id as order_id, buyer_id as customer, amount, state as status, placed from {{ source('shop', 'orders_v2') }}
),
big as (
    select order_id, {{ cents_to_dollars('amount') }} as euros from orders_v1 where amount > 2
)
select * from big
