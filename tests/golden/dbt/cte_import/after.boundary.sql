{{
    config(
        materialized = 'table',
        tags = ['daily']
    )
}}

-- Orders of customers, one row an order.
with

orders as (

    select * from (SELECT id AS order_id, buyer_id AS customer, amount, state AS status, placed FROM {{ source('shop', 'orders_v2') }} WHERE channel = 'ALL') as orders_v1

),

customers as (

    select * from {{ ref('stg_customers') }}

)

{# The rest never names the source again. #}
select orders.order_id, customers.name, orders.status
from orders
left join customers
    on orders.customer = customers.customer
