{% for name in ['customers', 'refunds'] %}
select 1 as one from {{ ref('stg_' ~ name) }}
{{ 'union all' if not loop.last }}
{% endfor %}
