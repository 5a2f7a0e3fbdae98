{{ config(
    materialized="table",
    pre_hook={"sql": "insert into audit select id from {{ source('shop', 'orders_v2') }}", "transaction": false},
    post_hook=[
      "insert into audit select o.id from {{ ref('orders_v2') }} as o where o.state = 'done'",
      "grant select on {{ this }} to readers"
    ]
) }}
select id as order_id, amount from {{ ref('orders_v2') }}
