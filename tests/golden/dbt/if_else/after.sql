select
    o.id as order_id,
{% if target.name == 'prod' -%}
    o.state as label,
    o.amount
from {{ ref('orders_v2') }} as o
{% elif target.name == 'ci' -%}
    cast(o.buyer_id as varchar) as label,
    o.amount
from {{ ref('orders_v2') }} as o
where o.state = 'open'
{%- else -%}
    c.name as label,
    0.0 as amount
from {{ ref('stg_customers') }} as c
join {{ ref('orders_v2') }} as o on o.buyer_id = c.customer
{%- endif %}
order by {{ 1 }}
