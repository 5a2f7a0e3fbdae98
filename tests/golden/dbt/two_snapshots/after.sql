{% snapshot orders_snapshot %}
{{ config(unique_key='order_id', strategy='check', check_cols='all') }}
select id as order_id, state as status from {{ source('shop', 'orders_v2') }}
{% endsnapshot %}

{% snapshot refunds_snapshot %}
{{ config(unique_key='order_id', strategy='check', check_cols='all') }}
select * from {{ ref('stg_refunds') }}
{% endsnapshot %}
