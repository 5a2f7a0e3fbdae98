{% snapshot orders_snapshot %}

{{ config(target_schema='snapshots', unique_key='order_id', strategy='check', check_cols=['status']) }}

select * from (SELECT id AS order_id, buyer_id AS customer, amount, state AS status, placed FROM {{ source('shop', 'orders_v2') }} WHERE channel = 'ALL') as orders_v1

{% endsnapshot %}
