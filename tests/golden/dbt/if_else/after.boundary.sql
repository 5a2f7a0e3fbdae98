select
    o.order_id,
{% if target.name == 'prod' -%}
    o.status as label,
    o.amount
from (
  SELECT id AS order_id, buyer_id AS customer, amount, state AS status, placed FROM {{ ref('orders_v2') }}
) as o
{% elif target.name == 'ci' -%}
    cast(o.customer as varchar) as label,
    o.amount
from (
  SELECT id AS order_id, buyer_id AS customer, amount, state AS status, placed FROM {{ ref('orders_v2') }}
) as o
where o.status = 'open'
{%- else -%}
    c.name as label,
    0.0 as amount
from {{ ref('stg_customers') }} as c
join (
  SELECT id AS order_id, buyer_id AS customer, amount, state AS status, placed
  FROM {{ ref('orders_v2') }}
) as o on o.customer = c.customer
{%- endif %}
order by {{ 1 }}
