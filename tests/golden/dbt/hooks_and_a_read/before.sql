{{ config(
    materialized="table",
    pre_hook={"sql": "insert into audit select order_id from {{ source('shop', 'orders_v1') }}", "transaction": false},
    post_hook=[
      "insert into audit select o.order_id from {{ ref('orders_v1') }} as o where o.status = 'done'",
      "grant select on {{ this }} to readers"
    ]
) }}
select order_id, amount from {{ ref('orders_v1') }}
