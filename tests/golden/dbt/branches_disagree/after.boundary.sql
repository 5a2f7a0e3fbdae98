select
    order_id,
{% if target.name == 'prod' %}
    status as label,
    amount
from (
  SELECT id AS order_id, buyer_id AS customer, amount, state AS status, placed FROM {{ ref('orders_v2') }}
) as orders_v1
{% elif target.name == 'ci' %}
    cast(customer as varchar) as label,
    amount
from (
  SELECT id AS order_id, buyer_id AS customer, amount, state AS status, placed FROM {{ ref('orders_v2') }}
) as orders_v1
where status = 'open'
{% else %}
    name as label,
    0.0 as amount
from {{ ref('stg_customers') }} as c
join (
  SELECT id AS order_id, buyer_id AS customer, amount, state AS status, placed
  FROM {{ ref('orders_v2') }}
) as o on o.customer = c.customer
{% endif %}
