{% for table in ['orders_v1', 'orders_v0'] %}
select order_id from {{ ref(table) }}
{% if not loop.last %}union all{% endif %}
{% endfor %}
