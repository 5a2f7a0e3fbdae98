{% for name in ['orders_v1', 'refunds'] %}
select order_id from {{ source('shop', name) }}
{{ 'union all' if not loop.last }}
{% endfor %}
