{% snapshot orders_snapshot %}
{{ config(unique_key='order_id', strategy='check', check_cols='all') }}
select order_id, status from {{ source('shop', 'orders_v1') }}
{% endsnapshot %}

{% snapshot refunds_snapshot %}
{{ config(unique_key='order_id', strategy='check', check_cols='all') }}
select * from {{ ref('stg_refunds') }}
{% endsnapshot %}
