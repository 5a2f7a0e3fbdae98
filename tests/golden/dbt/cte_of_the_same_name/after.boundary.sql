with orders_v1 as (
    select * from (SELECT id AS order_id, buyer_id AS customer, amount, state AS status, placed FROM {{ source('shop', 'orders_v2') }}) as orders_v1
),
big as (
    select order_id, {{ cents_to_dollars('amount') }} as euros from orders_v1 where amount > 2
)
select * from big
