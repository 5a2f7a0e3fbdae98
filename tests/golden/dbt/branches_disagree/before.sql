select
    order_id,
{% if target.name == 'prod' %}
    status as label,
    amount
from {{ ref('orders_v1') }}
{% elif target.name == 'ci' %}
    cast(customer as varchar) as label,
    amount
from {{ ref('orders_v1') }}
where status = 'open'
{% else %}
    name as label,
    0.0 as amount
from {{ ref('stg_customers') }} as c
join {{ ref('orders_v1') }} as o on o.customer = c.customer
{% endif %}
