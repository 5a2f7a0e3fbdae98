{% snapshot orders_snapshot %}

{{ config(target_schema='snapshots', unique_key='order_id', strategy='check', check_cols=['status']) }}

select id as order_id, buyer_id as customer, amount, state as status, placed from {{ source('shop', 'orders_v2') }} where channel = 'ALL'

{% endsnapshot %}
